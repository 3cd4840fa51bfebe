/**
 * Servers that use the package next to others: bundled, under the compilers of zod and TypeBox, and watched by OpenTelemetry.
 */

/** What no other project installs. Those of OpenTelemetry are the newest that run on Node 20. */
export const neighbours = [
  'esbuild@^0.28.0',
  'fastify-type-provider-zod@^7.0.0', 'zod@^4.1.5', 'openapi-types@^12.1.3',
  'type-provider-typebox-6@npm:@fastify/type-provider-typebox@^6.3.0', 'typebox@^1.1.14', 'ajv-formats@^3.0.1',
  '@opentelemetry/api@~1.9.0', '@opentelemetry/instrumentation@~0.223.0', '@opentelemetry/instrumentation-pg@~0.76.0', '@opentelemetry/sdk-trace-node@^2.12.1'
]

const table = `
import { integer, pgTable, text } from 'drizzle-orm/pg-core'

export const users = pgTable('users', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  name: text().notNull(),
  email: text().notNull().unique()
})
`

// CommonJS, so without await at the top; it listens where `PORT` says.
const bundled = `
import fastify from 'fastify'
import dataAccess from 'fastify-data-access'
import { users } from './users.mjs'

const server = fastify({ logger: true })
server.register(dataAccess)
server.post('/users', async (request, reply) => {
  reply.code(201)
  return request.repo(users).create(request.body)
})
server.get('/users/:id', (request) => request.repo(users).getOrThrow(Number(request.params.id)))
server.listen({ port: Number(process.env.PORT) })
`

// A list by its own schema, and by the one with which a server's compilers show it in OpenAPI.
const lists = `
import assert from 'node:assert/strict'
import swagger from '@fastify/swagger'
import fastify from 'fastify'
import dataAccess, { listQuery } from 'fastify-data-access'
import { users } from './users.mjs'

export const userList = listQuery(users, { filterable: ['name'], sortable: ['name'], searchable: ['email'], maxLimit: 50 })

export async function useLists (name, { compilers, transform, documented = userList.schema }) {
  const server = fastify()
  compilers(server)
  await server.register(swagger, { openapi: { openapi: '3.1.0', info: { title: name, version: '1' } }, ...(transform && { transform }) })
  await server.register(dataAccess)
  for (const [url, querystring] of Object.entries({ '/users': userList.schema, '/documented': documented })) {
    server.get(url, { schema: { querystring } }, (request) => request.repo(users).paginate(...userList.paginate(request.query)))
  }
  await server.ready()

  const { paths } = server.swagger()
  assert.deepEqual(Object.keys(paths), ['/health/database', '/health/database/pool', '/users', '/documented'])
  assert.deepEqual(paths['/documented'].get.parameters.map((parameter) => parameter.name), Object.keys(userList.schema.properties))
  const health = await server.inject('/health/database')
  assert.equal(health.json().status, 'up')
  assert.deepEqual(Object.keys((await server.inject('/health/database/pool')).json()).length, 6)
  await server.db.repo(users).createMany([{ name, email: name + '@example.com' }, { name: name + '!', email: 'other@' + name }])
  for (const url of ['/users', '/documented']) {
    const listed = await server.inject(url + '?limit=1&page=2&sort=-name&name[in]=' + name + ',' + name + '!')
    assert.equal(listed.statusCode, 200, listed.body)
    assert.deepEqual(listed.json().items.map((user) => user.name), [name])
    for (const query of ['limit=51', 'limit=x', 'sort=email', 'email=a', 'name=a&name=b']) {
      assert.equal((await server.inject(url + '?' + query)).statusCode, 400, url + '?' + query)
    }
  }
  await server.close()
}
`

const zod = `
import { jsonSchemaTransform, serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { useLists, userList } from './lists.mjs'

await useLists('zod', {
  compilers: (server) => server.setValidatorCompiler(validatorCompiler).setSerializerCompiler(serializerCompiler),
  transform: jsonSchemaTransform,
  documented: z.any().meta(userList.schema)
})
`

const sinclair = `
import { Type, TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import { useLists, userList } from './lists.mjs'

await useLists('sinclair', { compilers: (server) => server.setValidatorCompiler(TypeBoxValidatorCompiler), documented: Type.Any({ ...userList.schema }) })
`

const typebox = `
import { TypeBoxValidatorCompiler } from 'type-provider-typebox-6'
import { useLists } from './lists.mjs'

await useLists('typebox', { compilers: (server) => server.setValidatorCompiler(TypeBoxValidatorCompiler) })
`

// Loaded before all others, with --import, as OpenTelemetry wants it.
const tracing = `
import { register } from 'node:module'
import { registerInstrumentations } from '@opentelemetry/instrumentation'
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg'
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node'

register('@opentelemetry/instrumentation/hook.mjs', import.meta.url)
export const exporter = new InMemorySpanExporter()
export const started = []
const counter = { onStart: (span) => started.push(span.name), onEnd () {}, async forceFlush () {}, async shutdown () {} }
const tracerProvider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter), counter] })
tracerProvider.register()
registerInstrumentations({ tracerProvider, instrumentations: [new PgInstrumentation({ addSqlCommenterCommentToQueries: true })] })
`

const traced = `
import assert from 'node:assert/strict'
import { SpanStatusCode, trace } from '@opentelemetry/api'
import fastify from 'fastify'
import dataAccess from 'fastify-data-access'
import { exporter, started } from './tracing.mjs'
import { users } from './users.mjs'

const server = fastify()
await server.register(dataAccess)
const tracer = trace.getTracer('server')
server.addHook('onRequest', (request, reply, done) => tracer.startActiveSpan('request', (span) => {
  reply.raw.once('finish', () => span.end())
  done()
}))
server.post('/users', (request) => request.repo(users).create(request.body))

for (const [code, failed, last] of [[200, SpanStatusCode.UNSET, 'COMMIT'], [409, SpanStatusCode.ERROR, 'ROLLBACK']]) {
  await server.ready()
  exporter.reset()
  started.length = 0
  const { statusCode } = await server.inject({ method: 'POST', url: '/users', payload: { name: 'Traced', email: 'traced@example.com' } })
  assert.equal(statusCode, code)
  const ended = exporter.getFinishedSpans()
  assert.deepEqual(ended.map((span) => span.name).sort(), started.toSorted(), 'each span has ended')
  const { traceId, spanId } = ended.find((span) => span.name === 'request').spanContext()
  const statements = ended.filter((span) => span.name.startsWith('pg.query'))
  assert.deepEqual(statements.map((span) => span.name.split(/[ :]/)[1]), ['INSERT', last])
  assert.equal(statements[0].status.code, failed)
  for (const span of statements) {
    assert.equal(span.spanContext().traceId, traceId)
    assert.equal(span.parentSpanContext.spanId, spanId)
  }
}
await server.close()
`

/** The files of the project, by name. */
export const neighboursProject: Record<string, string> = {
  'users.mjs': table,
  'bundled.mjs': bundled,
  'lists.mjs': lists,
  'zod.mjs': zod,
  'sinclair.mjs': sinclair,
  'typebox.mjs': typebox,
  'tracing.mjs': tracing,
  'traced.mjs': traced
}
