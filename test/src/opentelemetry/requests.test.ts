import { FastifyOtelInstrumentation } from '@fastify/otel'
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg'
import pg from 'pg'
import t from 'tap'
import { openTelemetry } from '../../../src/opentelemetry/index.js'
import { users } from '../../helpers/schema.js'
import { build } from '../../helpers/server.js'
import { tracing, withoutWaits } from './tracing.js'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'
import type { Test } from 'tap'

/** A server that @fastify/otel traces, with two routes that use the database. */
async function tracedServer (t: Test, { provider }: ReturnType<typeof tracing>) {
  const instrumentation = new FastifyOtelInstrumentation()
  instrumentation.setTracerProvider(provider)
  const server = await build(t, { before: async (server) => { await server.register(instrumentation.plugin()) } })
  server.get('/users', (request) => request.repo(users).count())
  server.post('/users', async (request) => {
    await request.transaction((scope) => scope.repo(users).create({ email: 'a@example.com' }))
    return await request.repo(users).count()
  })
  await server.ready()
  return server
}

/** The name of a span without those of plugins and of the database. */
function short ({ name }: ReadableSpan): string {
  return name.replace(/ - .*| test_\w+/, '')
}

/** The names of the spans above a span, the nearest first. */
function above (span: ReadableSpan, spans: readonly ReadableSpan[]): string[] {
  const parent = spans.find((other) => other.spanContext().spanId === span.parentSpanContext?.spanId)
  return parent === undefined ? [] : [short(parent), ...above(parent, spans)]
}

/** Each span of the database, with the spans above it. */
function ofDatabase (spans: readonly ReadableSpan[]): string[] {
  return withoutWaits(spans)
    .filter(({ instrumentationScope: { name } }) => name !== '@fastify/otel')
    .map((span) => [short(span), ...above(span, spans)].join(' < '))
}

async function ask (t: Test, server: Awaited<ReturnType<typeof tracedServer>>, spans: ReturnType<typeof tracing>) {
  const shown: Record<string, string[]> = {}
  for (const [method, statusCode] of [['GET', 200], ['POST', 200], ['POST', 409]] as const) {
    t.equal((await server.inject({ method, url: '/users' })).statusCode, statusCode)
    t.strictSame(spans.open(), [], 'each span has ended')
    const taken = spans.take()
    t.equal(new Set(taken.map((span) => span.spanContext().traceId)).size, 1, 'a request is one trace')
    shown[`${method} ${statusCode}`] = ofDatabase(taken)
  }
  return shown
}

t.test('with @fastify/otel the spans of openTelemetry() are below the span of their request', async (t) => {
  const spans = tracing(t)
  const server = await tracedServer(t, spans)
  const telemetry = openTelemetry({ tracerProvider: spans.provider })
  t.teardown(async () => telemetry.disable())
  t.strictSame(await ask(t, server, spans), {
    'GET 200': ['SELECT users < handler < request'],
    'POST 200': [
      'transaction < handler < request',
      'INSERT users < transaction < handler < request',
      'SELECT users < transaction < handler < request'
    ],
    'POST 409': ['transaction < handler < request', 'INSERT users < transaction < handler < request']
  })
})

t.test('with @fastify/otel the spans of instrumentation-pg are below the span of their request', async (t) => {
  const spans = tracing(t)
  const server = await tracedServer(t, spans)
  const instrumentation = new PgInstrumentation()
  instrumentation.setTracerProvider(spans.provider)
  const [definition] = instrumentation.getModuleDefinitions()
  definition?.patch?.(pg)
  t.teardown(async () => {
    definition?.unpatch?.(pg)
    instrumentation.disable()
  })
  t.strictSame(await ask(t, server, spans), {
    'GET 200': ['pg.query:SELECT < handler < request'],
    'POST 200': [
      'pg.query:INSERT < handler < request',
      'pg.query:SELECT < handler < request',
      'pg.query:COMMIT < onSend < request'
    ],
    'POST 409': ['pg.query:INSERT < handler < request', 'pg.query:RELEASE < handler < request', 'pg.query:ROLLBACK < onSend < request']
  })
})
