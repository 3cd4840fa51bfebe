import { Counter, Gauge, Histogram, register } from 'prom-client'
import { labelName, metricName } from './names.js'
import { checkCall } from '../errors/check-call.js'
import { UsageError } from '../errors/errors.js'
import { figures, histograms, observed } from '../figures/figures.js'
import { FiguresWatch } from '../figures/watch-figures.js'
import type { Registry } from 'prom-client'
import type { Attributes } from '../figures/attributes.js'
import type { Figure, ObservedFigure } from '../figures/figures.js'
import type { OptionChecks } from '../runtime/option-checks.js'

/** The options of {@link prometheus}. */
export interface PrometheusOptions {
  /**
   * The registry of prom-client that gets the figures.
   *
   * @defaultValue prom-client's global registry
   */
  readonly registry?: Registry | undefined
}

const checks: OptionChecks<PrometheusOptions> = {
  registry: [(value) => typeof Object(value).getSingleMetric === 'function' && typeof Object(value).registerMetric === 'function', 'must be a Registry of prom-client']
}

/**
 * Puts the figures of all databases of this process on a registry of prom-client: durations of statements, connections by state, waits, time-outs, and
 * transactions by outcome. Names and labels are those that OpenTelemetry's exporter for Prometheus gives the figures of `./opentelemetry`; times are in seconds.
 * Needs the package prom-client.
 *
 * @returns `disable()`, which takes the figures from the registry again
 * @throws {@link UsageError} for an invalid registry, and if it has a metric of one of these names, for example because it has the figures already
 *
 * @example
 * ```ts
 * prometheus({ registry })
 * server.get('/metrics', async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()))
 * ```
 */
export function prometheus (options: PrometheusOptions = {}): { disable (): void } {
  checkCall('prometheus()', options, checks)
  const { registry = register } = options
  refuseTaken(registry)
  const metrics = new Map(histograms.map((figure) => {
    return [figure, new Histogram({ ...described(figure, registry), buckets: [...figure.buckets] })]
  }))
  const watch = new FiguresWatch((figure, value, attributes) => metrics.get(figure)?.observe(labelsOf(attributes), value))
  for (const figure of observed) addObserved(figure, { registry, watch })
  return {
    disable () {
      watch.end()
      for (const figure of figures) registry.removeSingleMetric(metricName(figure))
    }
  }
}

function addObserved (figure: ObservedFigure, { registry, watch }: { readonly registry: Registry, readonly watch: FiguresWatch }): void {
  const Metric: typeof Counter | typeof Gauge = figure.kind === 'counter' ? Counter : Gauge
  const metric: Counter | Gauge = new Metric({
    ...described(figure, registry),
    collect () {
      metric.reset()
      for (const { attributes, value } of watch.observe(figure)) metric.inc(labelsOf(attributes), value)
    }
  })
}

function described (figure: Figure, registry: Registry) {
  return { name: metricName(figure), help: figure.description, labelNames: figure.attributes.map(labelName), registers: [registry] }
}

function labelsOf (attributes: Attributes): Record<string, string | number> {
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [labelName(name), value]))
}

function refuseTaken (registry: Registry): void {
  const taken = figures.map(metricName).find((name) => registry.getSingleMetric(name) !== undefined)
  if (taken === undefined) return
  throw new UsageError(`The registry has a metric ${taken} already: call prometheus() once for each registry, or disable() the earlier one`)
}
