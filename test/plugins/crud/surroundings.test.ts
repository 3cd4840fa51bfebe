import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import { Ajv } from 'ajv'
import { sql } from 'drizzle-orm'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import t from 'tap'
import { Repository, SerializationFailureError, crud } from '../../../plugins/index.js'
import { posts, users } from '../../helpers/schema.js'
import { build } from '../../helpers/server.js'
import { buildBoth, invoices } from '../../helpers/two-databases.js'
import { PersonRepository, buildCrud, items, people, seats } from './tables.js'
import type { FastifyInstance } from 'fastify'

const ada = { name: 'Ada', email: 'ada@example.com' }

t.test('the prefix of register comes before that of the routes', async (t) => {
  const server = await buildCrud(t)
  await server.register(crud(people, { prefix: '/our/people', list: true, create: ['name', 'email'], get: true }), { prefix: '/v1' })
  const { headers } = await server.inject({ method: 'POST', url: '/v1/our/people?x=1', payload: ada })
  t.equal(headers['location'], '/v1/our/people/1')
  t.equal((await server.inject('/v1/our/people/1')).statusCode, 200)
  t.equal((await server.inject('/our/people/1')).statusCode, 404)
})

t.test('each set of routes has its own hooks, and those of the scope', async (t) => {
  const server = await buildCrud(t)
  const seen: string[] = []
  await server.register(async (scope) => {
    scope.addHook('onRequest', async () => { seen.push('scope') })
    await scope.register(crud(people, { prefix: '/people', list: true, onRequest: async () => { seen.push('onRequest') } }))
    await scope.register(crud(people, {
      prefix: '/people', create: ['name', 'email'], preHandler: async (_request, reply) => reply.code(403).send({ no: true })
    }))
  })
  t.equal((await server.inject('/people')).statusCode, 200)
  t.same(seen, ['scope', 'onRequest'])
  t.equal((await server.inject({ method: 'POST', url: '/people', payload: ada })).statusCode, 403)
  t.equal(await server.db.repo(people).count(), 0)
})

t.test('a table of another database is read and written there', async (t) => {
  const { server, rows } = await buildBoth(t)
  await server.register(crud(invoices, { prefix: '/invoices', list: true, get: true, create: ['email', 'amount'] }))
  await server.register(crud(users, { prefix: '/users', list: true }))
  t.equal((await server.inject({ method: 'POST', url: '/invoices', payload: { email: 'a', amount: 7 } })).statusCode, 201)
  t.same((await server.inject('/invoices/1')).json(), { id: 1, email: 'a', amount: 7 })
  t.same((await server.inject('/users')).json().items, [])
  t.same(await rows(), { users: 0, invoices: 1 })
})

t.test('the transaction of the routes has the context of its request, so tenants are apart', async (t) => {
  const server = await buildCrud(t)
  await server.db.execute(sql.raw(`alter table people enable row level security; create role crud_reader nologin; grant all on people to crud_reader;
    create policy own on people for all to crud_reader using (name = current_setting('app.tenant', true)) with check (name = current_setting('app.tenant', true))`))
  t.teardown(() => server.db.execute(sql`drop owned by crud_reader; drop role crud_reader`))
  await server.db.repo(people).createMany([ada, { name: 'Grace', email: 'grace@example.com' }])
  await server.register(crud(people, {
    prefix: '/people',
    list: true,
    get: true,
    create: ['name', 'email'],
    update: ['age'],
    remove: 'final',
    config: { transaction: { context: (request) => ({ role: 'crud_reader', settings: { 'app.tenant': String(request.headers['x-tenant']) } }) } }
  }))
  const headers = { 'x-tenant': 'Ada', 'if-match': '*' }
  const list = (await server.inject({ url: '/people', headers })).json()
  t.same(list.items.map(({ name }: { name: string }) => name), ['Ada'])
  const [{ id }] = list.items
  t.equal((await server.inject({ url: `/people/${3 - id}`, headers })).statusCode, 404)
  t.equal((await server.inject({ method: 'PATCH', url: `/people/${3 - id}`, payload: { age: 1 }, headers })).statusCode, 404)
  t.equal((await server.inject({ method: 'DELETE', url: `/people/${3 - id}`, headers })).statusCode, 404)
  t.equal((await server.inject({ method: 'POST', url: '/people', payload: { name: 'Eve', email: 'e' }, headers })).statusCode, 403)
  t.equal((await server.inject({ method: 'PATCH', url: `/people/${id}`, payload: { age: 1 }, headers })).statusCode, 200)
})

t.test('routes with retries are repeated as a whole', async (t) => {
  const server = await buildCrud(t)
  let attempts = 0
  class Unlucky extends Repository.of(people) {
    protected override afterCreate () { if (attempts++ === 0) throw new SerializationFailureError() }
  }
  await server.register(crud(Unlucky, { prefix: '/people', create: ['name', 'email'], get: true, config: { transaction: { retries: 2 } } }))
  const reply = await server.inject({ method: 'POST', url: '/people', payload: ada })
  t.equal(reply.statusCode, 201, reply.body)
  t.equal(attempts, 2)
  t.equal(await server.db.repo(people).count(), 1)
  const { id } = reply.json()
  t.equal((await server.inject({ url: `/people/${id}`, headers: { 'if-none-match': '*' } })).statusCode, 304)
})

t.test('a write that cannot be committed leaves no location', async (t) => {
  const server = await build(t)
  await server.db.execute(sql`alter table posts alter constraint posts_user_id_fkey deferrable initially deferred`)
  await server.register(crud(posts, { prefix: '/posts', create: ['userId', 'title'] }))
  const reply = await server.inject({ method: 'POST', url: '/posts', payload: { userId: 7, title: 'x' } })
  t.equal(reply.statusCode, 409, reply.body)
  t.equal(reply.headers['location'], undefined)
})

t.test('an error about a value that a hook gave does not name a hidden column', async (t) => {
  const server = await buildCrud(t)
  class Broken extends PersonRepository {
    protected override beforeCreate (values: Parameters<PersonRepository['beforeCreate']>[0]) { return { ...values, passwordHash: 7 as unknown as string } }
  }
  const open = { prefix: '/open', create: ['name', 'email'], hidden: [] } as const
  await server.register(crud(Broken, { ...open, prefix: '/people', hidden: ['passwordHash'] }))
  await server.register(crud(Broken, open))
  const post = async (url: string) => (await server.inject({ method: 'POST', url, payload: ada })).json()
  t.match(await post('/people'), { statusCode: 400, message: 'A value does not fit its column' })
  t.match(await post('/open'), { statusCode: 400, message: /"passwordHash"/ })
})

t.test('an error about a column that the database lacks does not name a hidden one', async (t) => {
  const server = await buildCrud(t)
  const key = integer().primaryKey().generatedAlwaysAsIdentity()
  const forgetful = pgTable('people', { id: key, name: text(), email: text(), secretHash: text('pwHash') })
  await server.register(crud(forgetful, { prefix: '/people', create: ['name', 'email'], hidden: ['secretHash'] }))
  await server.register(crud(forgetful, { prefix: '/open', create: ['name', 'email'] }))
  const post = async (url: string) => (await server.inject({ method: 'POST', url, payload: ada })).json()
  t.match(await post('/people'), { statusCode: 500, message: 'The database could not carry out the request' })
  t.match(await post('/open'), { statusCode: 500, message: /^Column "pwHash" does not exist/ })
})

const compilers: Record<string, (server: FastifyInstance) => unknown> = {
  'compilers that read no JSON schemas': (server) => server
    .setValidatorCompiler((({ schema }: { schema: { parse (value: unknown): unknown } }) => (value: unknown) => schema.parse(value)) as never)
    .setSerializerCompiler((({ schema }: { schema: { encode (value: unknown): unknown } }) =>
      (value: unknown) => JSON.stringify(schema.encode(value))) as never),
  'the validator of TypeBox': (server) => server.setValidatorCompiler(TypeBoxValidatorCompiler),
  'a validator that makes no numbers of texts': (server) => {
    const ajv = new Ajv({ coerceTypes: false, strict: false, formats: { 'date-time': true, uuid: true, byte: true } })
    server.setValidatorCompiler(({ schema }) => ajv.compile(schema as object) as never)
  },
  'a validator that changes no value': (server) => server.setValidatorCompiler(() => () => true)
}

for (const [name, compile] of Object.entries(compilers)) {
  t.test(`the routes check the same under ${name}`, async (t) => {
    const server = await buildCrud(t, { before: (server) => { compile(server) } })
    await server.register(crud(people, { prefix: '/people', list: { sortable: ['age'] }, get: true, create: ['name', 'email'], update: ['age'], hidden: ['passwordHash'] }))
    await server.register(crud(seats, { prefix: '/seats', get: true }))
    await server.register(crud(items, { prefix: '/items', get: true }))
    const created = await server.inject({ method: 'POST', url: '/people', payload: ada })
    t.equal(created.statusCode, 201, created.body)
    t.notMatch(created.body, /passwordHash|s3cr3t/)
    t.match((await server.inject('/people?sort=-age&limit=1')).json().items, [ada])
    t.equal((await server.inject('/people/1')).statusCode, 200)
    for (const payload of [{ name: 7, email: 'x' }, { ...ada, age: 1 }, { ...ada, passwordHash: 'x' }, [], { name: null, email: 'x' }, { name: 'x'.repeat(21), email: 'x' }]) {
      t.equal((await server.inject({ method: 'POST', url: '/people', payload })).statusCode, 400, JSON.stringify(payload))
    }
    t.equal((await server.inject({ method: 'POST', url: '/people', payload: { name: 'x' } })).statusCode >= 400, true)
    for (const url of ['/people/x', '/people/99999999999', '/people?sort=name', '/people?passwordHash=1', '/items/x', '/seats/a/x']) t.equal((await server.inject(url)).statusCode, 400, url)
  })
}
