import swagger from '@fastify/swagger'
import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import t from 'tap'
import { listQuery } from '../../plugins/index.js'
import { users } from '../helpers/schema.js'
import { build } from '../helpers/server.js'
import type { FastifyInstance, RouteOptions } from 'fastify'
import type { Test } from '../helpers/test.js'

const list = listQuery(users, { filterable: ['email', 'id'], sortable: ['id'], maxLimit: 5 })

/** Like zod's compilers, which fail only when they are used. */
const ownValidator = ({ schema }: { schema: unknown }) => (value: unknown) => (schema as { parse (value: unknown): object }).parse(value)
const ownSerializer = ({ schema }: { schema: unknown }) => (value: unknown) => JSON.stringify((schema as { encode (value: unknown): unknown }).encode(value))
/** Like zod's transform for swagger. */
const ownTransform = ({ schema, url }: { schema: { response?: object, querystring?: object }, url: string }) => {
  for (const part of [
    schema?.querystring,
    ...Object.values(schema?.response ?? {})
  ]) if (part !== undefined && !('encode' in part)) throw new TypeError('not a schema of ours')
  return { schema, url }
}

/** Like Ajv with `coerceTypes: false`, or TypeBox 1 if the answer is an object: they accept JSON schemas, and do not convert a text to a number. */
const strictValidator = (answer: (error: string | undefined) => unknown) => (
  { schema: { properties } }: { schema: { properties: Record<string, { type: string }> } }
) =>
  (value: Record<string, unknown>) => answer(Object.entries(value).find(([key, given]) => properties[key]?.type === 'integer' &&
    typeof given !== 'number')?.[0])
const strictAjv = (part: Parameters<ReturnType<typeof strictValidator>>[0]) => Object.assign(
  strictValidator((error) => error === undefined)(part),
  { errors: [{ message: 'must be integer' }] }
)
const strictTypeBox = strictValidator((error) => error === undefined ? { value: {} } : { error: [{ message: error }] })

const compilers: Record<string, (server: FastifyInstance) => unknown> = {
  'compilers that take other schemas alone': (server) => server.setValidatorCompiler(ownValidator as never).setSerializerCompiler(ownSerializer as never),
  'the validator of TypeBox': (server) => server.setValidatorCompiler(TypeBoxValidatorCompiler),
  'a validator that makes no numbers of texts and answers with a boolean': (server) => server.setValidatorCompiler(strictAjv as never),
  'a validator that makes no numbers of texts and answers with an object': (server) => server.setValidatorCompiler(strictTypeBox as never),
  'compilers of Fastify': () => {}
}

async function buildUnder (t: Test, compiler: (server: FastifyInstance) => unknown, routes: RouteOptions[] = []): Promise<FastifyInstance> {
  const server = await build(t, {
    before: async (server) => {
      compiler(server)
      await server.register(swagger, {
        openapi: {}, ...(compiler === compilers['compilers that take other schemas alone'] && { transform: ownTransform as never })
      })
    }
  })
  for (const route of routes) server.route(route)
  return server
}

for (const [name, compiler] of Object.entries(compilers)) {
  t.test(`health routes answer as they do, and are documented, under ${name}`, async (t) => {
    const server = await buildUnder(t, compiler)
    const health = await server.inject('/health/database')
    t.equal(health.statusCode, 200)
    t.same(Object.keys(health.json()), ['status', 'latencyMillis', 'timestamp', 'readOnly'])
    t.same(Object.keys((await server.inject('/health/database/pool')).json()).sort(), ['idle', 'inUse', 'max', 'size', 'total', 'waiting'])
    t.match(Object.keys(server.swagger().paths ?? {}), ['/health/database', '/health/database/pool'])
  })

  for (const part of ['querystring', 'query'] as const) {
    t.test(`a list by its ${part} finds its rows, and refuses other parameters, under ${name}`, async (t) => {
      const server = await buildUnder(t, compiler, [{
        method: 'GET', url: '/users', schema: { [part]: list.schema }, handler: (request) => request.repo(users).filter(...list.filter(request.query))
      }])
      await server.db.repo(users).createMany([{ email: 'ada@example.com' }, { email: 'grace@example.com' }])
      const { json, statusCode } = await server.inject('/users?email=grace@example.com&limit=2&sort=-id&id[gte]=1')
      t.equal(statusCode, 200)
      t.match(json(), [{ email: 'grace@example.com' }])
      for (const query of ['balance=1', 'limit=6', 'limit=x', 'sort=email', 'id=x', 'email=a&email=b', '__proto__=1']) {
        t.equal((await server.inject(`/users?${query}`)).statusCode, 400, query)
      }
      t.type(server.swagger().paths?.['/users'], 'object')
    })
  }
}

t.test('a route\'s own compiler decides about its list, and no other route loses its schema', async (t) => {
  const route = (url: string, schema: object, own: object = {}): RouteOptions => ({ method: 'GET', url, schema, ...own, handler: (request) => request.query })
  const querystring = { type: 'object', properties: { limit: { type: 'integer' } } }
  const server = await buildUnder(t, () => {}, [
    route('/own', { querystring: list.schema, tags: ['kept'] }, { validatorCompiler: ownValidator as never }),
    route('/other', { querystring }),
    route('/list', { querystring: list.schema })
  ])
  t.same((await server.inject('/own?anything=1')).json(), { anything: '1' })
  t.same((await server.inject('/other?limit=1')).json(), { limit: 1 })
  t.equal((await server.inject('/list?anything=1')).statusCode, 400)
  t.match(server.swagger().paths?.['/own'], { get: { tags: ['kept'] } })
})

for (const [answer, strict] of Object.entries({ 'a boolean': strictAjv, 'an object': strictTypeBox })) {
  t.test(`with a validator that coerces nothing (${answer}) the list works and is documented`, async (t) => {
    const body = { type: 'object', properties: { count: { type: 'integer' } } }
    const server = await buildUnder(t, (server) => server.setValidatorCompiler(strict as never), [{
      method: 'POST', url: '/users', schema: { querystring: list.schema, body }, handler: (request) => request.repo(users).filter(...list.filter(request.query))
    }])
    const statusOf = async (count: unknown): Promise<number> => (await server.inject({
      method: 'POST', url: '/users?limit=2&id=1', payload: { count }
    })).statusCode
    t.equal(await statusOf(1), 200)
    t.equal(await statusOf('1'), 400)
    const { parameters = [] } = server.swagger().paths?.['/users']?.post ?? {}
    t.same(parameters.map((parameter) => 'name' in parameter && parameter.name), Object.keys(list.schema['properties'] as object))
  })
}
