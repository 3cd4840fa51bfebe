import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { ConnectionError, PoolTimeoutError } from '../../src/errors/errors.js'
import { createTestDatabase, startPostgres } from '../../src/testing/index.js'
import { queryOnce } from '../helpers/backend.js'
import { backendOf, caller, openPool, run, scalar } from '../helpers/pool.js'
import { startProxy } from '../helpers/proxy.js'
import { until } from '../helpers/until.js'

const one = { size: 1, maxOverflow: 0 }

t.test('42: a connection that has lived long enough is not cut in use, and is replaced afterwards', async (t) => {
  const pool = await openPool(t, { pool: { ...one, recycleSeconds: 0.05 } })
  const connection = await pool.connect(caller)
  const pid = await backendOf(connection)
  await run(connection, 'begin')

  await until(() => pool.pool.expiredCount === 1)
  t.match(await run(connection, 'select pg_sleep(0.01)'), { error: undefined }, 'old, and still at work')
  await run(connection, 'commit')
  connection.release()

  t.match(pool.info, { total: 0 })
  const next = await pool.connect(caller)
  t.not(await backendOf(next), pid)
  next.release()
})

t.test('42: the next connection lives a little longer or shorter than this one', async (t) => {
  const pool = await openPool(t)
  const lives = new Set<unknown>()
  const connections = []
  for (let count = 0; count < 4; count++) {
    lives.add(pool.pool.options.maxLifetimeSeconds)
    connections.push(await pool.connect(caller))
  }
  t.ok(lives.size > 1)
  for (const connection of connections) connection.release()
})

t.test('43: with resetOnRelease the settings of one session do not reach the next', async (t) => {
  const pool = await openPool(t, { pool: { ...one, resetOnRelease: true } })
  const first = await pool.connect(caller)
  const pid = await backendOf(first)
  for (const text of [
    'set statement_timeout to 1234',
    'set role pg_monitor',
    'create temporary table drafts (id int)',
    'select pg_advisory_lock(7)',
    'prepare mine as select 1'
  ]) {
    t.match(await run(first, text), { error: undefined }, text)
  }
  first.release()

  const second = await pool.connect(caller)

  t.equal(await backendOf(second), pid, 'the same backend')
  t.equal(await scalar(second, 'show statement_timeout'), '15s', 'the limit of the startup parameters is back')
  t.equal(await scalar(second, 'select current_user = session_user'), true)
  t.equal(await scalar(second, "select to_regclass('pg_temp.drafts')"), null)
  t.equal(await scalar(second, "select count(*)::int from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()"), 0)
  t.equal(await scalar(second, 'select count(*)::int from pg_prepared_statements'), 0)
  second.release()
})

t.test('45: after a fast restart under load every request has a reply, and the pool works again', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'data-access-restart-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  let postgres = await startPostgres({ folder })
  const port = Number(new URL(postgres.connectionString).port)
  t.teardown(() => postgres.stop())
  const pool = await openPool(t, { connectionString: postgres.connectionString, pool: { size: 3, maxOverflow: 0, timeoutSeconds: 5 } })
  const connections = await Promise.all([1, 2, 3].map(() => pool.connect(caller)))
  const running = connections.map((connection) => run(connection, 'select pg_sleep(30)'))
  const asleep = "select from pg_stat_activity where datname = current_database() and query = 'select pg_sleep(30)' and state = 'active'"
  await until(async () => (await queryOnce(postgres.connectionString, asleep)).length === 3)
  const waiting = Array.from({ length: 5 }, () => pool.connect(caller).catch((error: unknown) => error))

  await postgres.stop()

  for (const outcome of await Promise.all(running)) t.match(outcome, { error: { code: '57P01' }, lost: true })
  for (const connection of connections) connection.release()
  for (const error of await Promise.all(waiting)) t.ok(error instanceof ConnectionError)
  t.match(pool.info, { total: 0, inUse: 0, waiting: 0 })

  postgres = await startPostgres({ folder: postgres.folder, port: () => port })
  const connection = await pool.connect(caller)
  t.equal(await scalar(connection, 'select 1'), 1)

  await t.test('46: a backend killed with -9 takes all others with it, and the process lives', async (t) => {
    const pid = await backendOf(connection)
    const others = await Promise.all([pool.connect(caller), pool.connect(caller)])
    const running = [connection, ...others].map((connection) => run(connection, 'select pg_sleep(30)'))
    await until(async () => (await queryOnce(postgres.connectionString, asleep)).length === 3)

    process.kill(pid, 'SIGKILL')

    for (const outcome of await Promise.all(running)) t.match(outcome, { error: { message: String }, sent: true, lost: true })
    for (const connection of [...others]) connection.release()
    connection.release()
    t.match(pool.info, { total: 0, inUse: 0, waiting: 0 })
    const strange: unknown[] = []
    const tries = async (): Promise<boolean> => {
      try {
        const connection = await pool.connect(caller)
        connection.release()
        return true
      } catch (error) {
        if (!(error instanceof ConnectionError)) strange.push(error)
        return false
      }
    }
    await until(tries)
    t.same(strange, [])
  })
})

t.test('49: a network that accepts and never answers is bounded by the wait limit', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const proxy = await startProxy(t, connectionString)
  const pool = await openPool(t, { connectionString: proxy.connectionString, pool: { ...one, timeoutSeconds: 1 } })
  proxy.blackHole()

  await t.rejects(pool.connect(caller), { code: 'DB_POOL_TIMEOUT', statusCode: 503 })

  await until(() => pool.info.total === 0)
  await proxy.resume()
  const connection = await pool.connect(caller)
  connection.release()
})

t.test('49: or by a shorter limit for connecting', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const proxy = await startProxy(t, connectionString)
  const pool = await openPool(t, { connectionString: `${proxy.connectionString}?connect_timeout=1`, pool: one })
  proxy.blackHole()

  await t.rejects(pool.connect(caller), { code: 'DB_CONNECTION', statusCode: 503 })
  t.match(pool.info, { total: 0, waiting: 0 })
})

t.test('50: an idle connection dropped by the network is replaced before it is lent', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const proxy = await startProxy(t, connectionString)
  const pool = await openPool(t, { connectionString: proxy.connectionString, pool: { ...one, prePingAfterMillis: 0 } })
  const first = await pool.connect(caller)
  const pid = await backendOf(first)
  first.release()

  proxy.silence()
  const second = await pool.connect(caller)

  t.not(await backendOf(second), pid)
  second.release()
  t.match(pool.info, { total: 1, idle: 1 })
})

t.test('50: an idle connection with an unnoticed end is replaced before it is lent', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const proxy = await startProxy(t, connectionString)
  const pool = await openPool(t, { connectionString: proxy.connectionString, pool: { size: 3, maxOverflow: 0, prePingAfterMillis: 0 } })
  const connections = await Promise.all([1, 2, 3].map(() => pool.connect(caller)))
  for (const connection of connections) connection.release()

  const losses = [proxy.loseRequest('default_transaction_isolation'), proxy.loseRequest('default_transaction_isolation', 'reset')]
  const connection = await pool.connect(caller)
  await Promise.all(losses)

  t.equal(await scalar(connection, 'select 1'), 1)
  connection.release()
  t.match(pool.info, { inUse: 0, waiting: 0 })
})

t.test('50: when an idle connection does not answer, no waiter waits for those that were idle for longer', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const proxy = await startProxy(t, connectionString)
  const pool = await openPool(t, { connectionString: proxy.connectionString, pool: { size: 6, maxOverflow: 0, prePingAfterMillis: 0, timeoutSeconds: 8 } })
  const connections = await Promise.all([1, 2, 3, 4, 5, 6].map(() => pool.connect(caller)))
  for (const connection of connections) connection.release()

  proxy.silence()
  const connection = await pool.connect(caller)

  t.equal(await scalar(connection, 'select 1'), 1)
  connection.release()
  t.match(pool.info, { total: 1, idle: 1 })
})

t.test('50: a waiter that gave up leaves its place to the next', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const proxy = await startProxy(t, connectionString)
  const pool = await openPool(t, { connectionString: proxy.connectionString, pool: { ...one, prePingAfterMillis: 0, timeoutSeconds: 1 } })
  const first = await pool.connect(caller)
  first.release()

  proxy.silence()
  await t.rejects(pool.connect(caller), PoolTimeoutError)

  await until(() => pool.info.inUse === 0) // destroyed, or replaced at the last moment
  const next = await pool.connect(caller)
  t.equal(await scalar(next, 'select 1'), 1)
  next.release()
})

t.test('54: garbage instead of an answer is a lost connection', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const proxy = await startProxy(t, connectionString)
  const pool = await openPool(t, { connectionString: proxy.connectionString })
  const connection = await pool.connect(caller)

  proxy.garble()
  const outcome = await run(connection, 'select 1')

  t.match(outcome, { error: { message: String }, sent: true, lost: true })
  connection.release()
  t.match(pool.info, { total: 0, inUse: 0 })
})
