import fastifyEnv from '@fastify/env'
import fastifyPostgres from '@fastify/postgres'
import Fastify, { type FastifyInstance } from 'fastify'
import { inspect } from 'node:util'
import pg from 'pg'
import t, { type Test } from 'tap'
import { envPlugin } from '../../plugins/env.js'
import { decorate, ServerDatabases, serverDatabases } from '../../plugins/server-databases.js'
import { readEnvironment, resolveSettings } from '../../src/settings/settings.js'

const url = 'postgresql://ada:hush@db.example/shop'

/** The variables that a server may read. */
const read = /^(BILLING_)?DATABASE_|^WEB_CONCURRENCY$/

/** A server with these variables and no others that it reads, closed with the test. */
function build (t: Test, variables: Record<string, string>): FastifyInstance {
  const before = { ...process.env }
  for (const name of Object.keys(before).filter((name) => read.test(name))) delete process.env[name]
  Object.assign(process.env, variables)
  const server = Fastify()
  t.teardown(async () => {
    await server.close()
    for (const name of Object.keys(variables)) delete process.env[name]
    Object.assign(process.env, before)
  })
  return server
}

t.test('decorates the server with the validated environment', async (t) => {
  const server = build(t, { DATABASE_URL: url, DATABASE_POOL_SIZE: '5', DATABASE_ECHO: 'ON', DATABASE_POOL_TIMEOUT: '0.5' })
  await server.register(envPlugin)

  t.match(server.databaseConfig, { DATABASE_POOL_SIZE: 5, DATABASE_ECHO: true, DATABASE_POOL_TIMEOUT: 0.5, DATABASE_MAX_OVERFLOW: 40 })
  t.equal(server.databaseConfig.DATABASE_URL, url)
  t.ok(Object.isFrozen(server.databaseConfig))
  t.match(resolveSettings({}, server.databaseConfig), { pool: { size: 5, max: 45, timeoutMillis: 500 }, echo: true, connection: { host: 'db.example' } })
})

t.test('without a variable it has the defaults, as with one that is empty', async (t) => {
  for (const variables of [{}, { DATABASE_POOL_SIZE: '' }] as const) {
    const server = build(t, variables)
    await server.register(envPlugin, { connectionString: url })

    t.strictSame(server.databaseConfig, readEnvironment({}))
    t.strictSame(Object.getOwnPropertyDescriptors(server.databaseConfig), Object.getOwnPropertyDescriptors(readEnvironment({})))
    t.ok(Object.isFrozen(server.databaseConfig))
    t.equal(server.databaseConfig.DATABASE_MAX_OVERFLOW, 40)
  }
})

t.test('one variable is enough to be read, whichever it is', async (t) => {
  for (const [name, text, value] of [['DATABASE_URL', url, url], ['DATABASE_ECHO', 'on', true], ['DATABASE_DIRECT_URL', url, url]] as const) {
    const server = build(t, { [name]: text })
    await server.register(envPlugin, { connectionString: url })

    t.equal(server.databaseConfig[name], value)
    t.strictSame(Object.getOwnPropertyDescriptors(server.databaseConfig), Object.getOwnPropertyDescriptors(readEnvironment({ [name]: text })))
  }
})

t.test('a database with a name reads its own variables, and has the defaults without one', async (t) => {
  for (const [variables, size] of [[{}, 20], [{ DATABASE_POOL_SIZE: '5' }, 20], [{ BILLING_DATABASE_POOL_SIZE: '7' }, 7]] as const) {
    const server = build(t, variables)
    decorate(server, new ServerDatabases())
    await server.register(envPlugin, { name: 'billing', connectionString: url })
    const environment = server[serverDatabases].environments.get('billing')

    t.ok(Object.isFrozen(environment))
    t.equal(environment?.['BILLING_DATABASE_POOL_SIZE'], size)
    t.equal(resolveSettings({ name: 'billing', connectionString: url }, environment).pool.size, size)
    t.notOk(server.hasDecorator('databaseConfig'))
  }
})

t.test('WEB_CONCURRENCY counts as the number of processes', async (t) => {
  const server = build(t, { DATABASE_URL: url, WEB_CONCURRENCY: '3' })
  await server.register(envPlugin)

  t.equal(server.databaseConfig.DATABASE_PROCESSES, 3)
  t.notOk('WEB_CONCURRENCY' in server.databaseConfig)
})

t.test('holds nothing of the environment but its own variables', async (t) => {
  const server = build(t, { DATABASE_URL: url, DATABASE_SOMETHING: 'x', OTHER_SECRET: 'x' })
  await server.register(envPlugin)

  t.strictSame(Object.keys(server.databaseConfig).filter((name) => !name.startsWith('DATABASE_') || name === 'DATABASE_SOMETHING'), [])
})

t.test('the URL does not show', async (t) => {
  const server = build(t, { DATABASE_URL: url })
  await server.register(envPlugin)

  t.notMatch(inspect(server, { depth: 9 }) + inspect(server.databaseConfig) + JSON.stringify(server.databaseConfig), 'hush')
})

t.test('leaves config and getEnvs to the user, in either order of registration', async (t) => {
  const schema = { type: 'object', properties: { GREETING: { type: 'string' } } }
  for (const isFirst of [true, false]) {
    const server = build(t, { DATABASE_URL: url, GREETING: 'hello' })
    if (isFirst) await server.register(envPlugin)
    await server.register(fastifyEnv, { schema })
    if (!isFirst) await server.register(envPlugin)
    server.get('/', (request) => ({ instance: server.getEnvs(), request: request.getEnvs(), config: server.getDecorator('config') }))

    t.strictSame((await server.inject('/')).json(), { instance: { GREETING: 'hello' }, request: { GREETING: 'hello' }, config: { GREETING: 'hello' } })
  }
})

t.test('alone, it adds neither config nor getEnvs', async (t) => {
  const server = build(t, { DATABASE_URL: url })
  await server.register(envPlugin)

  t.notOk(server.hasDecorator('config'))
  t.notOk(server.hasDecorator('getEnvs'))
  t.notOk(server.hasRequestDecorator('getEnvs'))
})

t.test('refuses a bad variable by its name', async (t) => {
  const server = build(t, { DATABASE_URL: url, DATABASE_POOL_SIZE: '20x' })

  await t.rejects(async () => server.register(envPlugin), { code: 'DB_SETTINGS', message: 'DATABASE_POOL_SIZE must be a whole number from 1 to 262143' })
})

t.test('says how to name the database when nothing does', async (t) => {
  const server = build(t, {})

  await t.rejects(async () => server.register(envPlugin), { code: 'DB_SETTINGS', message: /DATABASE_URL is not set.*connectionString/ })
})

t.test('needs no DATABASE_URL when the options name the database', async (t) => {
  const pool = new pg.Pool()
  t.teardown(() => pool.end())
  for (const options of [{ connectionString: url }, { pg: pool }]) {
    const server = build(t, {})
    await server.register(envPlugin, options)

    t.equal(server.databaseConfig.DATABASE_URL, undefined)
  }
})

t.test('needs no DATABASE_URL when @fastify/postgres is there already', async (t) => {
  const server = build(t, {})
  await server.register(fastifyPostgres, { host: 'localhost' })
  await server.register(envPlugin)

  t.equal(server.databaseConfig.DATABASE_URL, undefined)
})

t.test('registered twice, it is refused', async (t) => {
  const server = build(t, { DATABASE_URL: url })
  await server.register(envPlugin)

  await t.rejects(async () => server.register(envPlugin), { code: 'FST_ERR_DEC_ALREADY_PRESENT' })
})
