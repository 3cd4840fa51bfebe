import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import fp from 'fastify-plugin'
import t, { type Test } from 'tap'
import type { Database } from '../../src/database/database.js'
import { openDatabase } from '../../src/database/open-database.js'
import type { OpenOptions } from '../../src/database/open-database.js'
import { createTestDatabase } from '../../src/testing/index.js'
import { patient } from '../helpers/info.js'
import { until } from '../helpers/until.js'
import { healthPlugin, type HealthPluginOptions } from '../../plugins/health.js'

async function open (t: Test, options: OpenOptions = {}): Promise<Database> {
  const { database } = await createTestDatabase(t, options)
  return database
}

/** The URL of a server that accepts connections and never responds. */
async function silentUrl (t: Test): Promise<string> {
  const server = createServer((socket) => { t.teardown(() => socket.destroy()) })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => { server.close() })
  return `postgresql://ada:s3cret@127.0.0.1:${(server.address() as AddressInfo).port}/nowhere`
}

async function build (
  t: Test,
  { server, database, health = patient, ...options }: HealthPluginOptions & { server?: FastifyServerOptions, database?: Database } = {}
): Promise<FastifyInstance> {
  const fastify = Fastify(server)
  const db = database ?? await open(t)
  await fastify.register(fp(async (instance) => { instance.decorate('db', db) }, { name: 'data-access/database' }))
  await fastify.register(healthPlugin, { ...options, health })
  t.teardown(() => fastify.close())
  return fastify
}

t.test('76: GET /health/database answers 200 with status, latency, time and whether PostgreSQL refuses writes, and nothing else', async (t) => {
  const server = await build(t)

  const reply = await server.inject('/health/database')

  t.equal(reply.statusCode, 200)
  t.match(reply.headers, { 'cache-control': 'no-store', 'content-type': /^application\/json/ })
  t.strictSame(Object.keys(reply.json()), ['status', 'latencyMillis', 'timestamp', 'readOnly'])
  t.match(reply.json(), { status: 'up', latencyMillis: Number, timestamp: /^\d{4}-\d\d-\d\dT[\d:.]+Z$/ })
})

t.test('HEAD answers like GET, without a body, also where the server adds no HEAD routes', async (t) => {
  const server = await build(t, { server: { exposeHeadRoutes: false } })

  for (const url of ['/health/database', '/health/database/pool']) {
    const reply = await server.inject({ method: 'HEAD', url })
    t.match(reply, { statusCode: 200, body: '' }, url)
  }
})

t.test('44: answers 503 within its limit while traffic holds every connection', async (t) => {
  const database = await open(t, { pool: { size: 1, maxOverflow: 0 } })
  const server = await build(t, { database, health: { timeoutMillis: 1500, details: true } })
  // Uses its own connection, which is kept for the next check.
  t.match(await database.checkHealth({ timeoutMillis: 60_000 }), { status: 'up' })

  await database.session(async (session) => {
    await session.drizzle.execute('select 1')
    await until(async () => (await server.inject('/health/database')).statusCode === 503)
    const reply = await server.inject('/health/database')
    t.equal(reply.statusCode, 503)
    t.match(reply.json(), { status: 'saturated', version: /^PostgreSQL \d/, error: 'no connection of the pool came free within 1500 ms' })
  })
})

t.test('44: answers 503 within its limit, and no host or user, when PostgreSQL is silent', async (t) => {
  const database = await openDatabase({ connectionString: await silentUrl(t), degraded: true, pool: { timeoutSeconds: 0.3 } })
  t.teardown(() => database.close())
  const server = await build(t, { database, health: { timeoutMillis: 50, details: true } })

  const reply = await server.inject('/health/database')

  t.equal(reply.statusCode, 503)
  t.match(reply.json(), { status: 'down', error: 'no answer within 50 ms' })
  t.notMatch(reply.body, /ada|s3cret|127\.0\.0\.1|nowhere/)
})

t.test('44: an answer is shared with requests that come soon after', async (t) => {
  const server = await build(t)

  const replies = [await server.inject('/health/database'), await server.inject('/health/database')]

  t.equal(replies[0]?.json().timestamp, replies[1]?.json().timestamp)
})

t.test('77: GET /health/database/pool answers counts and waits only', async (t) => {
  const database = await open(t, { pool: { size: 2, maxOverflow: 3 } })
  const server = await build(t, { database })

  const reply = await server.inject('/health/database/pool')

  t.match(reply, { statusCode: 200, headers: { 'cache-control': 'no-store' } })
  t.strictSame(Object.keys(reply.json()).sort(), ['idle', 'inUse', 'max', 'size', 'total', 'waiting'])
  t.match(reply.json(), { size: 2, max: 5, inUse: 0, waiting: 0 })
})

t.test('77: fields outside the schemas are never sent, even if the database reports them', async (t) => {
  const database = await open(t)
  const told = Object.create(database, {
    poolInfo: { value: { ...database.poolInfo, options: { password: 's3cret' } } },
    checkHealth: { value: async () => ({ ...await database.checkHealth(), host: 'db.internal' }) }
  })
  const server = await build(t, { database: told })

  t.notMatch((await server.inject('/health/database/pool')).body, /s3cret|options/)
  t.notMatch((await server.inject('/health/database')).body, /internal/)
})

t.test('76: details are shown to requests that a function allows', async (t) => {
  const server = await build(t, { health: { ...patient, details: async (request) => request.headers['x-monitor'] === 'yes' } })

  t.notOk('version' in (await server.inject('/health/database')).json())
  t.match((await server.inject({ url: '/health/database', headers: { 'x-monitor': 'yes' } })).json(), { version: /^PostgreSQL \d/ })
})

t.test('76: health shows only that the database is down; details on request, never host or user', async (t) => {
  const database = await openDatabase({ connectionString: await silentUrl(t), degraded: true, pool: { timeoutSeconds: 0.3 } })
  t.teardown(() => database.close())
  const server = await build(t, { database, health: { timeoutMillis: 50, details: (request) => request.headers['x-monitor'] === 'yes' } })

  const reply = await server.inject('/health/database')
  t.equal(reply.statusCode, 503)
  t.match(reply.json(), { status: 'down' })
  t.strictSame(Object.keys(reply.json()), ['status', 'latencyMillis', 'timestamp'])
  const detailed = await server.inject({ url: '/health/database', headers: { 'x-monitor': 'yes' } })
  t.match(detailed.json(), { status: 'down', error: 'no answer within 50 ms' })
  t.notMatch(`${reply.body}${detailed.body}`, /ada|s3cret|127\.0\.0\.1|nowhere/)
})

t.test('77: preHandler guards both routes', async (t) => {
  const server = await build(t, { health: { preHandler: async (_request, reply) => reply.code(401).send({ message: 'who are you?' }) } })

  for (const url of ['/health/database', '/health/database/pool']) t.equal((await server.inject(url)).statusCode, 401)
})

t.test('path is absolute: a prefix at register does not move the routes', async (t) => {
  const database = await open(t)
  const fastify = Fastify()
  t.teardown(() => fastify.close())
  fastify.register(fp(async (instance) => { instance.decorate('db', database) }, { name: 'data-access/database' }))
  await fastify.register(healthPlugin, { prefix: '/v1', health: { ...patient, path: '/ready' } })

  t.equal((await fastify.inject('/ready')).statusCode, 200)
  t.equal((await fastify.inject('/ready/pool')).statusCode, 200)
  t.equal((await fastify.inject('/v1/ready')).statusCode, 404)
  t.equal((await fastify.inject('/health/database')).statusCode, 404)
})

t.test('77: health: false adds no routes', async (t) => {
  const server = await build(t, { health: false })

  t.equal((await server.inject('/health/database')).statusCode, 404)
  t.equal((await server.inject('/health/database/pool')).statusCode, 404)
})

t.test('the routes open no transaction, and their requests are logged as warnings at least', async (t) => {
  const database = await open(t)
  const routes: object[] = []
  const fastify = Fastify()
  t.teardown(() => fastify.close())
  fastify.addHook('onRoute', ({ url, method, config, logLevel }) => { routes.push({ url, method, transaction: Object(config).transaction, logLevel }) })
  fastify.register(fp(async (instance) => { instance.decorate('db', database) }, { name: 'data-access/database' }))
  await fastify.register(healthPlugin)

  t.strictSame(routes, ['/health/database', '/health/database/pool'].flatMap((url) =>
    ['GET', 'HEAD'].map((method) => ({ url, method, transaction: false, logLevel: 'warn' }))))
})

t.test('answers in JSON if the server\'s serializer ignores JSON schemas', async (t) => {
  const database = await open(t)
  const fastify = Fastify()
  t.teardown(() => fastify.close())
  fastify.setSerializerCompiler(() => { throw new Error('not a schema of mine') })
  fastify.register(fp(async (instance) => { instance.decorate('db', database) }, { name: 'data-access/database' }))
  await fastify.register(healthPlugin, { health: patient })

  t.match((await fastify.inject('/health/database')).json(), { status: 'up' })
})

t.test('answers 503 while the server closes, also if Fastify would go on answering', async (t) => {
  const server = await build(t, { server: { return503OnClosing: false } })
  const replies: Array<{ statusCode: number, body: unknown }> = []
  server.addHook('preClose', async () => {
    const reply = await fetch(`${server.listeningOrigin}/health/database`)
    replies.push({ statusCode: reply.status, body: await reply.json() })
  })
  await server.listen({ host: '127.0.0.1', port: 0 })

  await server.close()

  t.match(replies, [{ statusCode: 503, body: { status: 'closing', latencyMillis: 0 } }])
})

t.test('an option that cannot be used is refused by its name', async (t) => {
  const wrong: Array<[health: unknown, message: RegExp]> = [
    [true, /^health must be an object, or false for no routes$/],
    [null, /^health must be an object/],
    [[], /^health must be an object/],
    [{ pth: '/x' }, /^health\.pth is not an option: use path, details, preHandler, logLevel, timeoutMillis, live$/],
    [{ path: 'health' }, /^health\.path must begin with \/ and must not end with it$/],
    [{ path: '/' }, /^health\.path must/],
    [{ path: '/health/' }, /^health\.path must/],
    [{ path: '/health?x' }, /^health\.path must/],
    [{ path: 7 }, /^health\.path must/],
    [{ details: 'yes' }, /^health\.details must be true, false, or a function of the request$/],
    [{ preHandler: 'guard' }, /^health\.preHandler must be a hook, or an array of hooks$/],
    [{ preHandler: [async () => {}, 1] }, /^health\.preHandler must/],
    [{ logLevel: 'loud' }, /^health\.logLevel must be one of/],
    [{ timeoutMillis: 0 }, /^health\.timeoutMillis must be a number of milliseconds from 1 to 60000$/],
    [{ timeoutMillis: Number.NaN }, /^health\.timeoutMillis must/],
    [{ timeoutMillis: '1000' }, /^health\.timeoutMillis must/],
    [{ timeoutMillis: 60_001 }, /^health\.timeoutMillis must/]
  ]
  const database = await open(t)
  for (const [health, message] of wrong) {
    await t.rejects(build(t, { database, health: health as HealthPluginOptions['health'] }), { name: 'SettingsError', message }, JSON.stringify(health))
  }
})

t.test('options are not changed', async (t) => {
  const options = Object.freeze({ health: Object.freeze({ path: '/ready' }) })

  await t.resolves(build(t, options))
})

t.test('is refused where no database was registered before', async (t) => {
  const fastify = Fastify()
  t.teardown(() => fastify.close())

  await t.rejects(async () => { await fastify.register(healthPlugin) }, /data-access\/database/)
})

t.test('answers 503 while the server waits, also without time for a query', async (t) => {
  const database = await open(t)
  const server = await build(t, { database, health: { details: true, timeoutMillis: 2000 } })

  database.awaits(() => new Promise(() => {}))
  const late = await server.inject('/health/database')
  t.equal(late.statusCode, 503)
  t.match(late.json(), { status: 'pending', error: 'what the server waits for could not be checked in time' })
  database.awaits(async () => 'a reason')
  t.match(await database.checkHealth(patient), { healthy: false, status: 'pending', error: 'a reason', version: /^PostgreSQL/ })
  database.awaits(async () => undefined)
  t.match(await database.checkHealth(patient), { healthy: true, status: 'up' })
})
