import { Pool } from 'pg'
import t from 'tap'
import { poolConfig } from '../../../src/pool/pool-config.js'
import { extendConnection, parseConnectionString } from '../../../src/settings/url/connection-string.js'
import { resolveSettings } from '../../../src/settings/settings.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { recordingLogger } from '../../helpers/logger.js'
import { backendOf, caller, openPool, run, scalar } from '../../helpers/pool.js'
import { startProxy } from '../../helpers/proxy.js'
import { until } from '../../helpers/until.js'

const one = { size: 1, maxOverflow: 0 }

async function ownPool (t: { teardown (fn: () => Promise<void>): unknown }, options: object = {}): Promise<Pool> {
  const { connectionString } = await createTestDatabase(t)
  const pg = new Pool(extendConnection(parseConnectionString(connectionString), { max: 2, ...options }))
  t.teardown(() => pg.end())
  return pg
}

t.test('a transaction left open through pg\'s pool is rolled back before the next checkout', async (t) => {
  const logger = recordingLogger()
  const pool = await openPool(t, { pool: one, logger })
  const client = await pool.pool.connect()
  await client.query('create table left_open (id int)')
  await client.query('begin')
  await client.query('insert into left_open values (1)')
  client.release()

  const connection = await pool.connect(caller)

  t.equal(connection.status, 'I')
  t.equal(await scalar(connection, 'select count(*)::int from left_open'), 0)
  connection.release()
  t.match(pool.info, { total: 1, idle: 1 })
  t.match(logger.lines, [{ level: 'warn', message: /inside a transaction/ }])
})

t.test('reports the snapshots that statements outside a transaction have', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const pool = await openPool(t, { connectionString, pool: { ...one, prePingAfterMillis: 0 } })
  const connection = await pool.connect(caller)
  t.equal(connection.readCommitted, true)
  await run(connection, `alter database ${new URL(connectionString).pathname.slice(1)} set default_transaction_isolation to 'repeatable read'`)
  connection.destroy()

  const next = await pool.connect(caller)
  t.equal(await scalar(next, 'select 1'), 1, 'its first statement tells')
  t.equal(next.readCommitted, false)
  t.equal(pool.readCommitted, false)
  await run(next, 'set default_transaction_isolation to \'read uncommitted\'')
  next.release()

  const proved = await pool.connect(caller)
  t.equal(pool.readCommitted, true, 'asked again with the ping')
  proved.release()
})

t.test('without a ping a connection comes back at once', async (t) => {
  const pool = await openPool(t, { pool: { ...one, prePing: false, prePingAfterMillis: 0 } })
  const first = await pool.connect(caller)
  const pid = await backendOf(first)
  const statements = await scalar(first, `select query from pg_stat_activity where pid = ${pid}`)
  t.match(statements, /query from/)
  first.release()

  const second = await pool.connect(caller)

  t.equal(await scalar(second, 'select pg_backend_pid()'), pid)
  second.release()
})

t.test('an error of a new connection reaches its caller, and the next caller may try', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const proxy = await startProxy(t, connectionString)
  const pool = await openPool(t, { connectionString: proxy.connectionString, pool: one })

  const lost = proxy.loseRequest('default_transaction_isolation')
  const [first, second] = await Promise.allSettled([pool.connect(caller), pool.connect(caller)])
  await lost

  t.match(first, { status: 'rejected', reason: { code: 'DB_CONNECTION', cause: { message: String } } })
  if (second.status === 'fulfilled') second.value.release()
  t.match(second, { status: 'fulfilled' })
  t.match(pool.info, { total: 1, idle: 1 })

  await proxy.refuse()
  await until(() => pool.info.total === 0)
  await t.rejects(pool.connect(caller), { code: 'DB_CONNECTION', cause: { code: 'ECONNREFUSED' } })
  await proxy.resume()
  ;(await pool.connect(caller)).release()
})

t.test('a connection that breaks while it is reset is replaced', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const proxy = await startProxy(t, connectionString)
  const pool = await openPool(t, { connectionString: proxy.connectionString, pool: { ...one, resetOnRelease: true } })
  const first = await pool.connect(caller)
  const pid = await backendOf(first)

  const lost = proxy.loseRequest('discard all')
  const next = pool.connect(caller)
  first.release()
  await lost

  const second = await next
  t.not(await backendOf(second), pid)
  second.destroy()
  t.match(pool.info, { total: 0, inUse: 0 })
})

t.test('echoes statements with their durations and without values, and names slow ones', async (t) => {
  const logger = recordingLogger()
  const holder = { logger, label: 'GET /users' }
  const pool = await openPool(t, { echo: true, slowQueryMillis: 50 })
  const connection = await pool.connect(holder)

  await run(connection, 'select $1::text', { prelude: ['begin'], values: ['ada@example.com'] })
  await run(connection, 'select pg_sleep($1)', { values: [0.06] })
  await run(connection, 'rollback')
  connection.release()

  t.match(logger.lines, [
    { level: 'info', message: 'statement', context: { statement: 'begin; select $1::text', durationMillis: Number, operation: 'test' } },
    { level: 'warn', message: 'slow statement', context: { statement: 'select pg_sleep($1)', durationMillis: Number } },
    { level: 'info', message: 'statement', context: { statement: 'rollback' } }
  ])
  t.ok(Number(logger.lines[1]?.context['durationMillis']) >= 50)
  t.notMatch(JSON.stringify(logger.lines), /ada/)
})

t.test('logs nothing of statements that are not slow', async (t) => {
  const logger = recordingLogger()
  const pool = await openPool(t, { slowQueryMillis: 10_000, logger })
  const connection = await pool.connect({ logger, label: 'test' })
  await run(connection, 'select 1')
  connection.release()
  t.same(logger.lines, [])
})

t.test('echoes the events of connections, with counts', async (t) => {
  const logger = recordingLogger()
  const pool = await openPool(t, { logger, pool: { ...one, echo: true } })
  const connection = await pool.connect(caller)
  connection.destroy()
  await until(() => logger.lines.length === 4)

  t.match(logger.lines.map(({ level, message, context }) => [level, message, context['event']]), [
    ['info', 'pool event', 'connect'], ['info', 'pool event', 'acquire'], ['info', 'pool event', 'release'], ['info', 'pool event', 'remove']
  ])
  t.match(logger.lines[1]?.context, { max: 1, total: 1, waiting: 0 })
})

t.test('a pool given by the caller is not ended, and keeps no listener of ours', async (t) => {
  const pg = await ownPool(t)
  const before = await pg.connect()
  before.release()
  const count = (): number[] => ['connect', 'acquire', 'release', 'remove', 'error'].map((event) => pg.listenerCount(event))
  const listeners = count()
  const lifetime = pg.options.maxLifetimeSeconds

  for (let round = 0; round < 3; round++) {
    const pool = await openPool(t, { pg })
    const connections = await Promise.all([pool.connect(caller), pool.connect(caller)])
    t.match(pool.info, { size: 0, max: 2, total: 2 })
    for (const connection of connections) connection.release()
    pool.end()
    t.same(count(), listeners)
  }

  t.equal(pg.options.maxLifetimeSeconds, lifetime)
  t.same((await pg.query('select 1 as one')).rows, [{ one: 1 }])
})

t.test('an idle connection may be lost without ending the process, also after the end', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const other = await openPool(t, { connectionString })
  const pool = await openPool(t, { connectionString })
  const killer = await other.connect(caller)
  for (const ended of [false, true]) {
    const client = await pool.pool.connect()
    const { rows: [row] } = await client.query('select pg_backend_pid() as pid')
    client.release()
    if (ended) pool.end()
    await run(killer, `select pg_terminate_backend(${row.pid})`)
    await until(() => pool.info.total === 0)
  }
  killer.release()
  t.match(pool.info, { total: 0 })
})

t.test('lives are jittered by 10 %, and fit a timer', async (t) => {
  const lifeOf = (recycleSeconds: number): number => Number(poolConfig(resolveSettings(
    { connectionString: 'postgresql://localhost/shop', pool: { recycleSeconds } },
    {}
  )).maxLifetimeSeconds)
  const lives = Array.from({ length: 200 }, () => lifeOf(1000))

  t.ok(lives.every((life) => life >= 900 && life <= 1100))
  t.ok(new Set(lives).size > 100)
  t.equal(lifeOf(0), 0, 'no limit')
  t.ok(Array.from({ length: 50 }, () => lifeOf(2147483.647)).every((life) => life * 1000 < 2 ** 31))
})
