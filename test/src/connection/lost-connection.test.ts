import t from 'tap'
import { ConnectionError, TransactionClosedError } from '../../../src/errors/errors.js'
import { backendOf, caller, connectInTransaction, countUsers, openPool, run, scalar } from '../../helpers/pool.js'
import { startProxy } from '../../helpers/proxy.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { tables } from '../../helpers/schema.js'
import { until } from '../../helpers/until.js'
import type { ConnectionPool } from '../../../src/pool/connection-pool.js'

const insert = "insert into users (email) values ('ada@example.com')"

async function kill (pool: ConnectionPool, pid: number): Promise<void> {
  await pool.pool.query('select pg_terminate_backend($1)', [pid])
}

t.test('a killed backend fails its running statement and all that wait behind it', async (t) => {
  const pool = await openPool(t)
  const { connection, pid } = await connectInTransaction(t, pool)
  const outcomes = Promise.all([
    run(connection, 'select pg_sleep(30)', { prelude: ['begin'] }),
    run(connection, insert),
    run(connection, insert)
  ])
  const idle = connection.idle()

  await kill(pool, pid)

  t.match(await outcomes, [
    { error: { code: '57P01' }, sent: true, lost: true },
    { error: { code: '57P01' }, sent: false, lost: false },
    { error: { code: '57P01' }, sent: false, lost: false }
  ])
  await idle
  t.ok(connection.refusal)
  await connection.cancel(1000)
  connection.release()
  t.match(pool.info, { inUse: 0, total: 1 })
  t.equal(await countUsers(pool), 0)
})

t.test('a backend killed between two statements is noticed before the second is sent', async (t) => {
  const pool = await openPool(t)
  const { connection, pid } = await connectInTransaction(t, pool)
  await run(connection, insert, { prelude: ['begin'] })

  await kill(pool, pid)
  await until(() => connection.refusal !== undefined)

  t.match(await run(connection, insert), { sent: false, lost: false, error: { code: '57P01' } })
  connection.release()
  t.match(pool.info, { inUse: 0 })
})

t.test('52: a reset in the middle of an answer is a lost connection', async (t) => {
  const { connectionString } = await createTestDatabase(t, { sql: tables })
  const proxy = await startProxy(t, connectionString)
  const pool = await openPool(t, { connectionString: proxy.connectionString })
  const connection = await pool.connect(caller)

  const lost = proxy.loseAnswer('generate_series', 'reset')
  const outcome = await run(connection, 'select * from generate_series(1, 100000)')
  await lost

  t.match(outcome, { sent: true, lost: true, error: { message: String } })
  connection.release()
  t.match(pool.info, { total: 0 })
})

t.test('a connection that ends between an error and ReadyForQuery is reported as lost', async (t) => {
  const { connectionString } = await createTestDatabase(t, { sql: tables })
  const proxy = await startProxy(t, connectionString)
  const pool = await openPool(t, { connectionString: proxy.connectionString })
  const { connection } = await connectInTransaction(t, pool)

  const lost = proxy.loseReady('1 / 0')
  const outcome = await run(connection, 'select 1 / 0', { prelude: ['begin'] })
  await lost

  t.match(outcome, { sent: true, lost: true, error: { code: '22012' } })
  connection.release()
  t.match(pool.info, { inUse: 0, total: 0 })
})

t.test('destroy() answers the running statement and refuses the waiting ones', async (t) => {
  const pool = await openPool(t)
  const connection = await pool.connect(caller)
  const outcomes = Promise.all([run(connection, 'select pg_sleep(30)'), run(connection, insert)])

  connection.destroy()
  connection.destroy()

  t.match(await outcomes, [{ sent: true, lost: true }, { sent: false, lost: false, error: ConnectionError }])
  t.match(pool.info, { total: 0, inUse: 0 })
  t.equal(await countUsers(pool), 0)
})

t.test('goes back once, and runs nothing after that', async (t) => {
  const pool = await openPool(t)
  const connection = await pool.connect(caller)

  connection.release()
  connection.release()
  connection.destroy()

  t.match(pool.info, { total: 1, idle: 1, inUse: 0 })
  const { error, sent } = await run(connection, insert)
  t.ok(error instanceof TransactionClosedError)
  t.equal(sent, false)
  t.equal(await countUsers(pool), 0)
})

t.test('a connection that is given back in use, or in a transaction, is destroyed', async (t) => {
  const pool = await openPool(t)

  const inUse = await pool.connect(caller)
  const running = run(inUse, 'select pg_sleep(30)')
  inUse.release()
  t.match(await running, { lost: true })
  t.match(pool.info, { total: 0 })

  const open = await pool.connect(caller)
  await run(open, insert, { prelude: ['begin'] })
  open.release()
  t.match(pool.info, { total: 0 })
  t.equal(await countUsers(pool), 0)
})

t.test('twenty thousand statements that wait on a lost connection are all refused', async (t) => {
  const pool = await openPool(t)
  const connection = await pool.connect(caller)
  const pid = await backendOf(connection)
  const first = run(connection, 'select pg_sleep(30)')
  const waiting = Array.from({ length: 20_000 }, () => run(connection, insert))

  await kill(pool, pid)

  t.match(await first, { lost: true })
  t.ok((await Promise.all(waiting)).every(({ error, sent }) => error !== undefined && !sent))
  connection.release()
  t.equal(await countUsers(pool), 0)
})

t.test('cancels the running statement, and nothing else', async (t) => {
  const pool = await openPool(t)
  const connection = await pool.connect(caller)

  await connection.cancel(5000)
  t.equal(await scalar(connection, 'select 1'), 1, 'nothing ran')
  const running = run(connection, 'select pg_sleep(30)')
  await connection.cancel(5000)

  t.match(await running, { error: { code: '57014' }, lost: false })
  for (let round = 0; round < 20; round++) t.equal(await scalar(connection, 'select 1'), 1)
  connection.release()
  t.match(pool.info, { total: 1, idle: 1 })
})

t.test('a cancel that cannot be delivered is given up', async (t) => {
  const { connectionString } = await createTestDatabase(t, { sql: tables })
  const proxy = await startProxy(t, connectionString)
  const pool = await openPool(t, { connectionString: proxy.connectionString })
  const connection = await pool.connect(caller)
  const running = run(connection, 'select pg_sleep(30)')

  proxy.blackHole()
  await connection.cancel(50)
  connection.destroy()
  t.match(await running, { lost: true })

  await proxy.resume()
  const other = await pool.connect(caller)
  const again = run(other, 'select pg_sleep(30)')
  const stopped = proxy.refuse()
  await other.cancel(5000)
  t.match(await again, { lost: true })
  await stopped
  other.release()
  t.match(pool.info, { total: 0 })
})

t.test('is idle at once when nothing runs, and else when the last answer is there', async (t) => {
  const pool = await openPool(t)
  const connection = await pool.connect(caller)
  await connection.idle()
  let answered = 0
  for (const text of ['select 1', 'select 1 / 0', 'select 2']) run(connection, text).then(() => { answered++ })
  await connection.idle()
  t.equal(answered, 3)
  connection.release()
})
