import { context, createContextKey, createNoopMeter, metrics, trace } from '@opentelemetry/api'
import { startMetrics } from './metrics.js'
import { Spans } from './spans.js'
import { checkCall } from '../errors/check-call.js'
import { UsageError } from '../errors/errors.js'
import { hideStatements } from '../pg/unwatched.js'
import type { MeterProvider, TracerProvider } from '@opentelemetry/api'
import type { OptionCheck } from '../runtime/option-checks.js'

/** The options of {@link openTelemetry}. */
export interface OpenTelemetryOptions {
  /**
   * Gets the spans.
   *
   * @defaultValue the global one, also if it is set later
   */
  readonly tracerProvider?: TracerProvider | undefined
  /**
   * Gets the figures.
   *
   * @defaultValue the global one of this moment: call `openTelemetry()` after the SDK has started
   */
  readonly meterProvider?: MeterProvider | undefined
}

/** The name of the tracer and of the meter. */
const scope = 'fastify-data-access'

/** The key by which OpenTelemetry's SDK knows that it should make no spans. */
const suppressed = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING')

/** The providers that get spans now. */
const inUse = new Set<TracerProvider>()

/**
 * Makes spans of the statements, transactions and longer waits of all databases of this process, and gives their figures to a meter, by OpenTelemetry's
 * conventions for databases. Needs the package `@opentelemetry/api` alone. With `@opentelemetry/instrumentation-pg` beside it, a statement of this package has
 * the span and the figures of this package only, and is sent without that instrumentation's comment or trace context.
 *
 * @returns `disable()`, which ends the spans of what still runs
 * @throws {@link UsageError} if an option is unknown or invalid, or if the tracer provider gets the spans already
 *
 * @example
 * ```ts
 * import { openTelemetry } from 'fastify-data-access/opentelemetry'
 *
 * const telemetry = openTelemetry()
 * server.addHook('onClose', async () => telemetry.disable())
 * ```
 */
export function openTelemetry (options: OpenTelemetryOptions = {}): { disable (): void } {
  checkCall('openTelemetry()', options, {
    tracerProvider: provider('getTracer'),
    meterProvider: provider('getMeter')
  })
  const { tracerProvider = trace.getTracerProvider(), meterProvider = metrics.getMeterProvider() } = options
  if (inUse.has(tracerProvider)) throw new UsageError('This tracer provider gets the spans already: call openTelemetry() once, or disable() the earlier one')
  inUse.add(tracerProvider)
  const spans = new Spans(tracerProvider.getTracer(scope))
  const meter = meterProvider.getMeter(scope)
  // Without an SDK nobody reads figures, so none are gathered.
  const figures = meter === createNoopMeter() ? undefined : startMetrics(meter)
  const unhide = hideStatements((send) => context.with(context.active().setValue(suppressed, true), send))
  return {
    disable () {
      unhide()
      spans.end()
      figures?.disable()
      inUse.delete(tracerProvider)
    }
  }
}

function provider (method: 'getTracer' | 'getMeter'): OptionCheck {
  return [(value) => typeof Object(value)[method] === 'function', `must be a provider of OpenTelemetry, which has ${method}()`]
}
