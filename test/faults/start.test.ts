import { inspect } from 'node:util'
import Fastify, { type FastifyInstance } from 'fastify'
import { Client, Pool } from 'pg'
import t from 'tap'
import { ConnectionError, Database, openDatabase, resolveSettings } from '../../src/index.js'
import { parseConnectionString } from '../../src/settings/url/connection-string.js'
import { poolConfig } from '../../src/pool/pool-config.js'
import { createTestDatabase } from '../../src/testing/index.js'
import { patient } from '../helpers/info.js'
import { recordLog } from '../helpers/log-stream.js'
import { recordingLogger } from '../helpers/logger.js'
import { startProxy } from '../helpers/proxy.js'
import { schema, tables, users } from '../helpers/schema.js'
import { withPassword } from '../helpers/secret.js'
import { until } from '../helpers/until.js'
import dataAccess, { type DataAccessOptions } from '../../plugins/index.js'
import type { OpenOptions } from '../../src/index.js'

/** The error of a start that fails. */
async function failure (options: OpenOptions): Promise<Error> {
  try {
    const database = await openDatabase(options)
    await database.close()
  } catch (error) {
    if (error instanceof ConnectionError) return error
    throw error
  }
  throw new Error('It started')
}

/** The parts of a URL that an error must not show. */
function partsOf (connectionString: string): string[] {
  const { username, password, host, port, pathname } = new URL(withPassword(connectionString))
  return [username, password, host, port, pathname.slice(1)]
}

function shows (error: Error, connectionString: string): string[] {
  return partsOf(connectionString).filter((part) => `${error.message} ${JSON.stringify(error)}`.includes(part))
}

/** Whether the server accepts any password, as with `trust` in pg_hba.conf. */
async function trusts (connectionString: string): Promise<boolean> {
  const client = new Client(parseConnectionString(connectionString))
  const trusted = await client.connect().then(() => true, () => false)
  await client.end()
  return trusted
}

t.test('48: without a server the start fails at once, and names the way out', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const proxy = await startProxy(t, connectionString)
  await proxy.refuse()

  const error = await failure({ connectionString: proxy.connectionString })

  t.match(error, { code: 'DB_CONNECTION', message: /ECONNREFUSED.*start PostgreSQL/ })
  t.same(shows(error, proxy.connectionString), [])
})

t.test('48: a degraded start refuses queries until the database is there', async (t) => {
  const { connectionString } = await createTestDatabase(t, { sql: tables })
  const proxy = await startProxy(t, connectionString)
  await proxy.refuse()
  const logger = recordingLogger()

  const database = await openDatabase({ connectionString: proxy.connectionString, schema, degraded: true, logger })
  t.teardown(() => database.close())

  t.match(logger.lines, [{ level: 'error', message: /started without the database/, context: { err: { code: 'DB_CONNECTION' } } }])
  t.match(await database.checkHealth(), { healthy: false, status: 'down' })
  await t.rejects(database.repo(users).count(), { code: 'DB_CONNECTION', statusCode: 503 })
  await proxy.resume()
  t.equal(await database.repo(users).count(), 0)
  t.match(await database.checkHealth(patient), { healthy: true })
})

t.test('48: without its database a server does not start, or starts degraded with health 503', async (t) => {
  const { connectionString } = await createTestDatabase(t, { sql: tables })
  const proxy = await startProxy(t, connectionString)
  await proxy.refuse()
  const start = async (options: DataAccessOptions): Promise<FastifyInstance> => {
    const server = Fastify()
    t.teardown(() => server.close())
    await server.register(dataAccess, { connectionString: proxy.connectionString, schema, ...options })
    return server
  }

  await t.rejects(start({}), { code: 'DB_CONNECTION', message: /ECONNREFUSED.*start PostgreSQL/ })

  const server = await start({ degraded: true })
  server.post('/', (request) => request.repo(users).create({ email: 'ada@example.com' }))
  const ask = async () => [(await server.inject('/health/database')).statusCode, (await server.inject({ method: 'POST', url: '/' })).statusCode]
  t.strictSame(await ask(), [503, 503])
  t.match((await server.inject('/health/database')).json(), { status: 'down' })
  await proxy.resume()
  await until(async () => (await server.inject('/health/database')).statusCode === 200)
  t.strictSame(await ask(), [200, 200])
})

t.test('49: a start into a network that never answers ends with the wait limit', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const proxy = await startProxy(t, connectionString)
  proxy.blackHole()

  const error = await failure({ connectionString: proxy.connectionString, pool: { timeoutSeconds: 0.1 } })

  t.match(error, { message: /ETIMEDOUT.*firewall/ })
  t.same(shows(error, proxy.connectionString), [])
})

t.test('63: a permanent failure is fatal at once, degraded or not, without a part of the URL', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const role = `nobody_${Date.now()}_${process.pid}`
  const client = new Client(parseConnectionString(connectionString))
  await client.connect()
  await client.query(`create role ${role} nologin password 's3cret'`)
  t.teardown(async () => {
    await client.query(`drop role ${role}`)
    await client.end()
  })
  const change = (parts: Partial<Pick<URL, 'username' | 'password' | 'pathname'>>): string => Object.assign(new URL(connectionString), parts).href
  const cases: Array<readonly [title: string, url: string, code: RegExp]> = [
    ...await trusts(change({ password: 'not-that-one' })) ? [] : [['a wrong password', change({ password: 'not-that-one' }), /\(28P01\).*password/] as const],
    ['a user who may not connect', change({ username: role, password: 's3cret' }), /\(28000\).*pg_hba/],
    ['a missing database', change({ pathname: '/no_such_database' }), /\(3D000\).*create it/]
  ]
  for (const [title, url, message] of cases) {
    for (const options of [{}, { waitForDatabaseSeconds: 3600 }, { degraded: true }]) {
      const error = await failure({ connectionString: url, ...options })
      t.match(error, { code: 'DB_CONNECTION', message }, title)
      t.same(shows(error, url), [])
      t.notOk(inspect(error, { depth: Infinity, showHidden: true }).includes(new URL(withPassword(url)).password))
    }
  }
})

t.test('63: a URL that cannot be used is refused by the name of its setting alone', async (t) => {
  for (const connectionString of [
    'postgresql://ada:p@ss@word@db.example/shop',
    'postgresql://ada:s3cret@db.example',
    'mysql://ada:s3cret@db.example/shop',
    ''
  ]) {
    const error = await openDatabase({ connectionString }).then(() => new Error('It started'), (error: Error) => error)
    t.match(error, { name: 'SettingsError', message: /connectionString/ })
    t.notMatch(inspect(error), /ada|s3cret|db\.example|shop|p@ss/)
  }
})

t.test('62: settings that pg-pool would accept are refused with their name', async (t) => {
  const cases: Array<[setting: string, pool: object]> = [
    ['pool.size', { size: 0 }], ['pool.size', { size: -1 }], ['pool.size', { size: NaN }], ['pool.size', { size: '20' }],
    ['pool.maxOverflow', { maxOverflow: -1 }], ['pool.timeoutSeconds', { timeoutSeconds: 'abc' }], ['pool.max', { max: 5 }]
  ]
  for (const [setting, pool] of cases) {
    await t.rejects(openDatabase({ connectionString: 'postgresql://localhost/shop', pool }), {
      name: 'SettingsError', message: new RegExp(setting.replace('.', '\\.'))
    })
  }
})

t.test('82: close() while the start waits for the database ends the wait, and leaves nothing open', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const proxy = await startProxy(t, connectionString)
  await proxy.refuse()
  const logger = recordingLogger()
  const settings = resolveSettings({ connectionString: proxy.connectionString, waitForDatabaseSeconds: 3600, degraded: true, logger }, {})
  const database = new Database(new Pool(poolConfig(settings)), settings, { ownsPool: true })
  const start = t.rejects(database.start(), { code: 'DB_CONNECTION', message: 'The database was closed' })
  await until(() => logger.lines.length > 0)

  t.equal(await database.close(), true)

  await start
  t.match(database.poolInfo, { total: 0, waiting: 0 })
})

t.test('82: a server closed while its start waits closes when the wait is over or given up', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const proxy = await startProxy(t, connectionString)
  await proxy.refuse()
  for (const [waitForDatabaseSeconds, pluginTimeout, code] of [[1, 3_600_000, 'DB_CONNECTION'], [3600, 1000, 'FST_ERR_PLUGIN_TIMEOUT']] as const) {
    const log = recordLog()
    const server = Fastify({ logger: log.logger, pluginTimeout })
    server.register(dataAccess, { connectionString: proxy.connectionString, schema, waitForDatabaseSeconds })
    const start = t.rejects(async () => { await server.ready() }, { code })
    await until(() => log.text.includes('the database does not answer yet'))

    await server.close()

    await start
    t.equal(log.lines(40).filter(({ msg }) => msg.startsWith('pluginTimeout is shorter')).length, pluginTimeout === 1000 ? 1 : 0)
    t.match(server.db.poolInfo, { total: 0, waiting: 0 })
  }
})
