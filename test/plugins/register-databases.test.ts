import fastifyPostgres from '@fastify/postgres'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import dataAccess, { databasePlugin, openDatabase } from '../../plugins/index.js'
import { createTestDatabase } from '../../src/testing/index.js'
import { patient } from '../helpers/info.js'
import { recordLog } from '../helpers/log-stream.js'
import { declared, tables, users } from '../helpers/schema.js'
import { build } from '../helpers/server.js'
import type { FastifyInstance } from 'fastify'
import type { DataAccessOptions, Database } from '../../plugins/index.js'

/** A URL without a server; no connection is made before the options have been checked. */
const nowhere = { connectionString: 'postgresql://nobody@127.0.0.1:1/none', degraded: true }

/** Registers a second database on a server whose first one is nowhere; resolves with the error. */
async function refusal (t: Test, options: object, first: DataAccessOptions = {}): Promise<{ setting: string, message: string }> {
  const server = Fastify()
  t.teardown(() => server.close())
  await server.register(dataAccess, { ...nowhere, ...first })
  try {
    await server.register(dataAccess, { ...nowhere, ...options })
  } catch (error) {
    return error as { setting: string, message: string }
  }
  return { setting: 'none', message: 'was not refused' }
}

function variables (t: Test, given: Record<string, string>): void {
  Object.assign(process.env, given)
  t.teardown(() => { for (const name of Object.keys(given)) Reflect.deleteProperty(process.env, name) })
}

t.test('64: a name that cannot be is refused', async (t) => {
  for (const name of ['', 'Billing', 'two words', 'a.b', '__proto__', '1st', 7, null, {}]) t.match(await refusal(t, { name }), { setting: 'name', message: /camelCase/ }, String(name))
  for (const name of ['default', 'pool', 'live', 'constructor', 'transact']) t.match(await refusal(t, { name }), { setting: 'name', message: /has a meaning already/ }, name)
})

t.test('64: a further database needs the first one, a name of its own, and tables of its own', async (t) => {
  const alone = Fastify()
  t.teardown(() => alone.close())
  await t.rejects(async () => { await alone.register(dataAccess, { name: 'billing', ...nowhere }) }, { setting: 'name', message: /register the database of fastify.db first/ })
  t.match(await refusal(t, { name: 'billing', ...declared }, declared), { setting: 'schema', message: /of 'billing' has the table "users", which the schema of 'default' has, too/ })

  for (const [name, message] of [['billingEu', /registered already/], ['billingEU', /both would read BILLING_EU_DATABASE_URL/]] as const) {
    const server = Fastify()
    t.teardown(() => server.close())
    await server.register(dataAccess, nowhere)
    await server.register(dataAccess, { name: 'billingEu', ...nowhere })
    await t.rejects(async () => { await server.register(dataAccess, { name, ...nowhere }) }, { setting: 'name', message })
  }
})

t.test('64: options of the reply, and of all replies, are refused with a name', async (t) => {
  const name = 'billing'
  t.match(await refusal(t, { name, transaction: { commit: 'atEnd' } }), { setting: 'transaction.commit' })
  t.match(await refusal(t, { name, transaction: { commitOn: () => true } }), { setting: 'transaction.commitOn' })
  t.match(await refusal(t, { name, transaction: { begin: 'onRequest' } }), { setting: 'transaction.begin' })
  t.match(await refusal(t, { name, errors: { format: 'problem' } }), { setting: 'errors.format' })
  t.match(await refusal(t, { name, readYourWrites: { cookie: 'last' } }), { setting: 'readYourWrites' })
  t.match(await refusal(t, { name, migrations: {} }), { setting: 'migrations.folder' })
})

t.test('the environment of a name begins with it, and is told by its full names', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  t.match(await refusal(t, { name: 'billing', connectionString: undefined }), { setting: 'BILLING_DATABASE_URL', message: /is not set/ })
  variables(t, { BILLING_DATABASE_URL: connectionString, BILLING_DATABASE_POOL_SIZE: '3', BILLING_DATABASE_MAX_OVERFLOW: '1', BILLING_DATABASE_POOL_SZIE: '3' })

  await server.register(dataAccess, { name: 'billing' })

  t.equal(server.databases['billing']?.poolInfo.max, 4)
  t.equal(server.db.poolInfo.max, 60)
  t.match(log.lines(40), [{ variables: ['BILLING_DATABASE_POOL_SZIE'], database: 'billing' }])
  t.equal(server.pg['billing']?.pool, server.databases['billing']?.pool)
  const database = await openDatabase({ name: 'billing' })
  t.equal(database.poolInfo.max, 4)
  await database.close()
  variables(t, { BILLING_DATABASE_POOL_SIZE: 'many' })
  t.match(await refusal(t, { name: 'billing' }), { setting: 'BILLING_DATABASE_POOL_SIZE' })
  variables(t, { BILLING_DATABASE_POOL_SIZE: '1', BILLING_DATABASE_URL: 'nonsense' })
  t.match(await refusal(t, { name: 'billing', connectionString: undefined }), { setting: 'BILLING_DATABASE_URL' })
})

t.test('a pool of @fastify/postgres with the name is used as it is, and ended by the one who made it', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const server = await build(t, { before: async (server) => { await server.register(fastifyPostgres, { name: 'billing', connectionString, max: 2 }) } })

  await server.register(dataAccess, { name: 'billing' })

  t.equal(server.databases['billing']?.pool, server.pg['billing']?.pool)
  t.equal(server.databases['billing']?.poolInfo.max, 2)
  const pools = [server.pg.pool, server.pg['billing']?.pool]
  await server.close()
  t.strictSame(pools.map((pool) => pool?.ended), [true, true])
})

t.test('a child scope may have a database of its own, which only that scope knows', async (t) => {
  const server = await build(t)
  const urls = [(await createTestDatabase(t, { sql: 'create table a ()' })).connectionString, (await createTestDatabase(t)).connectionString]
  for (const [index, connectionString] of urls.entries()) {
    await server.register(async (child) => {
      await child.register(dataAccess, { name: 'billing', connectionString })
      child.get('/', async (request) => ({
        known: Object.keys(request.databases),
        hasA: (await request.databases['billing']?.drizzle.execute<{ there: boolean }>("select to_regclass('a') is not null as there"))?.rows[0]?.there,
        users: await request.repo(users).count()
      }))
    }, { prefix: `/${index}` })
  }
  server.get('/', async (request) => Object.keys(request.databases))
  await server.ready()

  t.strictSame((await server.inject('/0')).json(), { known: ['default', 'billing'], hasA: true, users: 0 })
  t.strictSame((await server.inject('/1')).json(), { known: ['default', 'billing'], hasA: false, users: 0 })
  t.strictSame((await server.inject('/')).json(), ['default'])
  t.equal((await server.inject('/1/health/database/billing')).statusCode, 200)
  t.equal((await server.inject('/health/database/billing')).statusCode, 404)
})

t.test('health routes of a further database take what they are not given from the first', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const statuses = async (first: DataAccessOptions['health'], second: DataAccessOptions['health'], urls: string[]) => {
    const server: FastifyInstance = await build(t, { health: first })
    await server.register(dataAccess, { name: 'billing', connectionString, health: second })
    return await Promise.all(urls.map(async (url) => (await server.inject(url)).statusCode))
  }
  const guarded = { path: '/ready', preHandler: async () => { throw Object.assign(new Error('no'), { statusCode: 403 }) } }

  t.strictSame(await statuses(guarded, undefined, ['/ready', '/ready/billing', '/ready/billing/pool']), [403, 403, 403])
  t.strictSame(await statuses({}, { path: '/own' }, ['/health/database', '/own', '/health/database/billing']), [200, 200, 404])
  t.strictSame(await statuses(false, undefined, ['/health/database/billing']), [404])
  t.strictSame(await statuses(false, {}, ['/health/database/billing']), [200])
  t.strictSame(await statuses({}, false, ['/health/database/billing']), [404])
})

t.test('each database has migrations of its own at the start', async (t) => {
  const { connectionString } = await createTestDatabase(t, { sql: tables })
  const server = await build(t)

  await server.register(dataAccess, { name: 'billing', connectionString, migrations: { folder: 'test/folders/library', atStart: 'verify' } })

  t.equal((await server.inject('/health/database')).statusCode, 200)
  t.match((await server.inject('/health/database/billing')).json(), { status: 'pending' })
})

t.test('the parts take the name, too', async (t) => {
  const server = await build(t)
  const { connectionString } = await createTestDatabase(t)

  await server.register(databasePlugin, { name: 'billing', connectionString })
  t.equal((await (server.databases['billing'] as Database).checkHealth(patient)).status, 'up')
  await t.rejects(async () => { await server.register(databasePlugin, { name: 'billing', connectionString }) }, { setting: 'name', message: /registered already/ })
})
