import { context, SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { openTelemetry } from '../../../src/opentelemetry/index.js'
import type { Span } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'
import type { Test } from '../../helpers/test.js'

/** A tracer provider that keeps its spans, and counts those that were begun. The context is kept until the test ends. */
export function tracing (t: Test) {
  const begun: ReadableSpan[] = []
  const exporter = new InMemorySpanExporter()
  const counter = {
    onStart: (span: Span) => { begun.push(span as unknown as ReadableSpan) },
    onEnd () {},
    forceFlush: async () => {},
    shutdown: async () => {}
  }
  const provider = new BasicTracerProvider({ spanProcessors: [counter, new SimpleSpanProcessor(exporter)] })
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  t.teardown(async () => context.disable())
  return {
    provider,
    tracer: provider.getTracer('test'),
    /** The spans that have begun and have not ended. */
    open: () => begun.filter(({ ended }) => !ended).map(({ name }) => name),
    /** The spans that have ended, in the order of their beginnings, and no longer. */
    take: () => {
      const ended = begun.filter((span) => span.ended)
      for (const span of ended) begun.splice(begun.indexOf(span), 1)
      exporter.reset()
      return ended
    }
  }
}

/** The same with the spans of this package on. */
export function traced (t: Test) {
  const spans = tracing(t)
  const telemetry = openTelemetry({ tracerProvider: spans.provider })
  t.teardown(async () => telemetry.disable())
  return { ...spans, telemetry }
}

/** Spans of waits come and go with the load of the machine. */
export function withoutWaits (spans: readonly ReadableSpan[]): ReadableSpan[] {
  return spans.filter(({ name }) => name !== 'wait for a connection')
}

/** Each span in short: its parent's name, its kind, its attributes, and whether it failed. What differs from run to run is left out. */
export function inShort (spans: readonly ReadableSpan[]) {
  return spans.map(({ name, kind, parentSpanContext, status, attributes, events }) => ({
    name,
    parent: spans.find((span) => span.spanContext().spanId === parentSpanContext?.spanId)?.name,
    kind: SpanKind[kind],
    status: SpanStatusCode[status.code],
    attributes: Object.fromEntries(Object.entries(attributes).filter(([key]) => !/^(db\.namespace|server\.)/.test(key))),
    events: events.length
  }))
}

/** Each span as `parent > name`, with its SQLSTATE or code. */
export function lines (spans: readonly ReadableSpan[]): string[] {
  return inShort(spans).map(({ name, parent, attributes: { 'error.type': type } }) => {
    return (parent === undefined ? name : `${parent} > ${name}`) + (type === undefined ? '' : ` ${String(type)}`)
  })
}
