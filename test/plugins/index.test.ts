import fastifyEnv from '@fastify/env'
import Fastify from 'fastify'
import t from 'tap'
import * as door from '../../plugins/index.js'
import * as core from '../../src/index.js'
import { createTestDatabase } from '../../src/testing/index.js'
import { snakeCase } from '../helpers/drizzle.js'
import { schema, tables, users } from '../helpers/schema.js'
import { build } from '../helpers/server.js'

const ada = { email: 'ada@example.com' }

t.test('one register decorates the server and its requests, and adds the health routes', async (t) => {
  const server = await build(t)
  server.post('/', async (request, reply) => {
    const user = await request.repo(users).create(ada)
    request.db.afterCommit(() => sent.push(user.email))
    return reply.code(201).send(user)
  })
  const sent: string[] = []

  const reply = await server.inject({ method: 'POST', url: '/' })

  t.match(reply, { statusCode: 201 })
  t.match(reply.json(), { id: 1, ...ada, balance: 0 })
  t.strictSame(sent, [ada.email])
  t.match(await server.db.repo(users).getAll(), [ada])
  t.match((await server.inject('/health/database')).json(), { status: 'up' })
  t.equal((await server.inject('/health/database/pool')).statusCode, 200)
  for (const name of ['db', 'pg', 'databaseConfig']) t.ok(server.hasDecorator(name), name)
  for (const name of ['db', 'repo', 'transaction']) t.ok(server.hasRequestDecorator(name), name)
})

t.test('each part reads its slice of the options', async (t) => {
  const server = await build(t, {
    ...snakeCase,
    pool: { size: 1, maxOverflow: 1 },
    repository: { defaultLimit: 1 },
    transaction: { begin: 'firstQuery' },
    errors: { format: 'envelope', constraints: { users_email_key: { status: 400, code: 'TAKEN', message: 'Taken' } } },
    health: { path: '/ready' }
  })
  server.get('/', async (request) => {
    const rows = await request.repo(users).getAll()
    return { rows: rows.length, outcome: request.db.outcome }
  })
  server.post('/', (request) => request.repo(users).create(ada))
  await server.db.repo(users).createMany([ada, { email: 'grace' }])

  t.strictSame((await server.inject('/')).json(), { rows: 1, outcome: 'open' })
  t.match((await server.inject({ method: 'POST', url: '/' })).json(), { success: false, error: { code: 'TAKEN', message: 'Taken' } })
  t.equal((await server.inject('/ready')).statusCode, 200)
  t.equal((await server.inject('/health/database')).statusCode, 404)
  t.equal(server.db.poolInfo.max, 2)
})

t.test('fastify.config and getEnvs stay the user\'s', async (t) => {
  const { connectionString } = await createTestDatabase(t, { sql: tables })
  const server = Fastify()
  t.teardown(() => server.close())
  await server.register(fastifyEnv, { schema: { type: 'object', properties: { GREETING: { type: 'string', default: 'hello' } } }, data: {} })
  await server.register(door.dataAccess, { connectionString, schema })

  t.match(server.getDecorator<object>('config'), { GREETING: 'hello' })
  t.notOk(Object.keys(server.getDecorator<object>('config')).some((name) => name.startsWith('DATABASE')))
  t.match(server.getEnvs(), { GREETING: 'hello' })
  t.equal(server.databaseConfig.DATABASE_POOL_SIZE, 20)
})

t.test('options are not changed', async (t) => {
  const options = Object.freeze({
    pool: Object.freeze({ size: 1, maxOverflow: 0 }), transaction: Object.freeze({ begin: 'firstQuery' }), errors: Object.freeze({}), health: false
  } as const)

  await t.resolves(build(t, options))
})

t.test('a server that cannot reach its database does not get ready, and still closes', async (t) => {
  const server = Fastify()

  await t.rejects(
    async () => { await server.register(door.dataAccess, { connectionString: 'postgresql://ada:s3cret@127.0.0.1:1/shop' }) },
    { code: 'DB_CONNECTION', message: /ECONNREFUSED/ }
  )
  await t.resolves(server.close())
})

t.test('the door has the plugin, its parts, and everything of the core', async (t) => {
  t.equal(door.default, door.dataAccess)
  for (const name of Object.keys(core)) t.equal(door[name as keyof typeof door], core[name as keyof typeof core], name)
  t.strictSame(Object.keys(door).filter((name) => !(name in core)).sort(), [
    'crud', 'dataAccess', 'databasePlugin', 'default', 'envPlugin', 'errorsPlugin', 'healthPlugin', 'migrationsPlugin', 'recorderPlugin', 'repositoryPlugin',
    'telemetryPlugin', 'transactionPlugin'
  ])
})
