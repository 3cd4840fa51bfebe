import t from 'tap'
import { beside, killBackend } from '../../../helpers/backend.js'
import { clientsOf } from '../../../helpers/watch.js'
import { admit, ask, held, holdLock, lookup, openSharing } from '../../../helpers/sharing.js'
import { until } from '../../../helpers/until.js'
import type { Asked } from '../../../helpers/sharing.js'
import type { ConnectionPool } from '../../../../src/pool/connection-pool.js'
import type { Database } from '../../../../src/index.js'
import type { Statement } from '../../../../src/statement/statement.js'

const share = (value: number): Statement => lookup('select 100 / $1::int', value)
const twice = (value: unknown): Statement => lookup('select $1::int * 2', value)

/** The backend that waits for the lock of {@link held}: other tests of the same server have such locks, too. */
const waitingHere = "select pid from pg_stat_activity where datname = current_database() and wait_event = 'advisory'"

/** Reads that wait behind one which waits for a lock. */
async function behindHeld (pool: ConnectionPool, values: readonly number[]) {
  admit(pool, held, twice(0))
  const head = ask(pool, held)
  const others = values.map((value) => ask(pool, twice(value)))
  return { head, others }
}

t.test('reads behind a slow one are answered over other connections, and the slow one stays', async (t) => {
  const { pool, lanes } = await openSharing(t)
  const lock = await holdLock(t, pool)
  const { head, others } = await behindHeld(pool, [1, 2, 3])
  const answers = await Promise.all(others.map(({ answer }) => answer))
  t.same(answers.map(({ rows }) => rows), [[[2]], [[4]], [[6]]].map((rows) => rows.map((row) => row)))
  t.same(answers.map(({ isShared }) => isShared), [false, false, false])
  await lock.waited(1)
  const [holding] = pool.channels.holdings()
  t.match(holding, { route: 'shared reads', state: 'running', texts: [held.text] }, 'it is shown as what it is')
  t.equal(pool.info.inUse, 1)
  // Each turn of the loop may find that a statement is slow.
  const holdLong = (count: number): boolean => pool.channels.holdings().filter(({ heldMillis }) => heldMillis > 100).length === count
  await until(() => holdLong(1))
  const again = ask(pool, held)
  await lock.waited(2)
  await until(() => holdLong(2))
  const after = await ask(pool, twice(4)).answer
  t.same(after.rows, [[8]], 'the shape is admitted no more: the same statement holds up nobody')
  await lock.release()
  t.match(await head.answer, { rows: [['', 42]], isShared: true })
  t.match(await again.answer, { rows: [['', 42]], isShared: false })
  await until(() => pool.info.inUse === 0)
  t.ok(lanes() > 0, 'the connection comes back when the last late answer has come')
})

t.test('reads behind a slow one leave it sooner when other connections are answered', async (t) => {
  const { pool } = await openSharing(t)
  for (let round = 0; round < 5; round++) {
    const lock = await holdLock(t, pool)
    const over = new AbortController()
    const others = (async () => { while (!over.signal.aborted) await ask(pool, { ...twice(1), kind: 'write' }).answer })()
    const { head, others: behind } = await behindHeld(pool, [1, 2, 3])
    t.same((await Promise.all(behind.map(({ answer }) => answer))).map(({ isShared }) => isShared), [false, false, false])
    await lock.release()
    t.match(await head.answer, { rows: [['', 42]] })
    over.abort()
    await others
  }
})

t.test('a caller that leaves is dropped, and the statement of nobody is cancelled', async (t) => {
  const { pool } = await openSharing(t)
  const lock = await holdLock(t, pool)
  const { head, others } = await behindHeld(pool, [1, 2])
  const [left, other] = others as [Asked, Asked]
  const reason = new Error('left')
  left.cancel(reason)
  await t.rejects(left.answer, reason)
  t.same((await other.answer).rows, [[4]])
  head.cancel(reason)
  await t.rejects(head.answer, reason)
  other.cancel(reason)
  await lock.waited(1)
  t.equal(pool.info.inUse, 1, 'PostgreSQL still works on it')
  await lock.release()
  await until(() => pool.info.inUse === 0)
})

t.test('a caller that leaves while its read is repeated waits no more', async (t) => {
  const { pool, readShared } = await openSharing(t, { pool: { size: 1, maxOverflow: 0, timeoutSeconds: 3600 } })
  await readShared([held, held])
  const lock = await holdLock(t, pool)
  const { head, others } = await behindHeld(pool, [1])
  await lock.waited(1)
  await until(() => pool.info.waiting === 1)
  const reason = new Error('left')
  for (const { answer, cancel } of others) {
    cancel(reason)
    await t.rejects(answer, reason)
  }
  t.equal(pool.info.waiting, 0)
  await lock.release()
  t.same((await head.answer).rows, [['', 42]])
})

t.test('reads that leave a slow one wait on, however few may wait for a connection', async (t) => {
  const { pool, readShared } = await openSharing(t, { pool: { size: 1, maxOverflow: 0, maxWaiting: 1 } })
  await readShared([held])
  const lock = await holdLock(t, pool)
  const { head, others } = await behindHeld(pool, [1, 2, 3])
  await until(() => pool.info.waiting === others.length)
  await t.rejects(ask(pool, lookup('select 3')).answer, { code: 'DB_POOL_TIMEOUT' }, 'one that comes later is refused at once')
  await lock.release()
  t.same((await head.answer).rows, [['', 42]])
  t.same((await Promise.all(others.map(({ answer }) => answer))).map(({ rows }) => rows), [[[2]], [[4]], [[6]]])
})

t.test('the time limits hold, and a statement whose time is up is not repeated', async (t) => {
  for (const [options, code] of [[{ lockTimeoutSeconds: 0.3 }, '55P03'], [{ statementTimeoutSeconds: 0.3, lockTimeoutSeconds: 0 }, '57014']] as const) {
    const { pool } = await openSharing(t, options)
    const lock = await holdLock(t, pool)
    const { head, others } = await behindHeld(pool, [1, 2])
    await t.rejects(head.answer, { code })
    t.equal(head.isOwn(), false, 'it was sent once')
    for (const { answer } of others) t.equal((await answer).rows.length, 1)
    await lock.release()
  }
})

t.test('the failure of a statement is its own', async (t) => {
  const { pool, readShared } = await openSharing(t)
  await readShared([share(1), share(2)])
  admit(pool, share(1))
  const reads = [4, 0, 5, 0, 10].map((value) => ask(pool, share(value)))
  const results = await Promise.allSettled(reads.map(({ answer }) => answer))
  t.match(results, [
    { value: { rows: [['25']] } }, { reason: { code: '22012' } }, { value: { rows: [['20']] } }, { reason: { code: '22012' } }, { value: { rows: [['10']] } }
  ].map((result) => 'reason' in result ? result : { status: 'fulfilled' }))
  t.same(results.map((result) => result.status === 'fulfilled' ? result.value.rows.map((row) => Number((row as unknown[])[0])) : []), [[25], [], [20], [], [10]])
  await until(() => pool.info.inUse === 0)
  const { rows } = await pool.pool.query('select 7 as seven')
  t.same(rows, [{ seven: 7 }], 'the next query over the same connection gets its own rows')
})

t.test('a first statement that fails before its columns are known takes no other with it', async (t) => {
  const { pool } = await openSharing(t)
  const cast = (value: string): Statement => lookup('select $1::int + 1', value)
  await until(async () => {
    admit(pool, cast('1'))
    const reads = ['one', '1', '2'].map((value) => ask(pool, cast(value)))
    const [failed, ...others] = await Promise.allSettled(reads.map(({ answer }) => answer))
    t.match(failed, { reason: { code: '22P02' } })
    t.match(others, [{ value: { rows: [[2]] } }, { value: { rows: [[3]] } }])
    return (await ask(pool, cast('4')).answer).isShared
  })
})

t.test('a statement whose columns have changed is parsed anew', async (t) => {
  const { pool, readShared } = await openSharing(t)
  const besides = { pool: pool.pool } as Database
  const all = lookup('select * from posts')
  await readShared([all, all])
  await beside(besides, 'alter table posts add column note text')
  admit(pool, all)
  t.same((await Promise.all([all, all].map((statement) => ask(pool, statement).answer))).map(({ rows }) => rows), [[], []])
  await beside(besides, "insert into users (email) values ('ada'); insert into posts (user_id, title, note) values (1, 'Hello', 'new')")
  t.same(await readShared([all, all]), [[[1, 1, 'Hello', 'new']], [[1, 1, 'Hello', 'new']]])
})

t.test('the reads of a lost connection are repeated', async (t) => {
  const { pool, readShared } = await openSharing(t)
  await readShared([twice(1), held])
  const lock = await holdLock(t, pool)
  const { head, others } = await behindHeld(pool, [1, 2, 3])
  await lock.waited(1)
  const [{ pid } = { pid: 0 }] = await beside<{ pid: number }>({ pool: pool.pool }, waitingHere)
  await killBackend({ pool: pool.pool } as Database, pid)
  t.same((await Promise.all(others.map(({ answer }) => answer))).map(({ rows: [row] }) => Number((row as unknown[])[0])), [2, 4, 6])
  await lock.waited(1)
  await lock.release()
  t.match(await head.answer, { rows: [['', 42]], isShared: false })
})

t.test('the reads of a connection that is cut are repeated', async (t) => {
  const { pool, readShared } = await openSharing(t, { pool: { size: 1, maxOverflow: 0 } })
  await readShared([twice(1), twice(2)])
  admit(pool, twice(1))
  const reads = [1, 2, 3].map((value) => ask(pool, twice(value)))
  await until(() => pool.info.inUse > 0)
  for (const client of clientsOf(pool.pool)) (client as unknown as { connection: { stream: { destroy (): void } } }).connection.stream.destroy()
  t.same((await Promise.all(reads.map(({ answer }) => answer))).map(({ rows: [row] }) => Number((row as unknown[])[0])), [2, 4, 6])
})

t.test('a value that cannot be written concerns its own read only, and may begin another one', async (t) => {
  const { pool, readShared } = await openSharing(t)
  await readShared([twice(1), twice(2)])
  const inner: Array<Promise<unknown>> = []
  const bad = { toPostgres () { throw new TypeError('no text') } }
  const nested = { toPostgres () { inner.push(ask(pool, twice(20)).answer); return '10' } }
  for (const values of [[1, bad, nested, 2], [bad, 1], [nested, bad, nested]]) {
    admit(pool, twice(1))
    const reads = values.map((value) => ask(pool, twice(value)))
    const results = await Promise.allSettled(reads.map(({ answer }) => answer))
    t.same(results.map(({ status }) => status), values.map((value) => value === bad ? 'rejected' : 'fulfilled'))
  }
  const fresh = (value: unknown): Statement => lookup('select $1::int * 3', value)
  admit(pool, fresh(bad))
  await t.rejects(ask(pool, fresh(bad)).answer, { message: /cannot be written/ })
  t.same(await readShared([fresh(1), fresh(2)]), [[['3']], [['6']]].map((rows) => rows.map((row) => row.map(Number))))
  for (const answer of inner) t.match(await answer, { rows: [[40]] })
  t.ok(inner.length > 0)
})

t.test('a second new statement waits for no other that is being parsed', async (t) => {
  const { pool } = await openSharing(t)
  const statements = Array.from({ length: 5 }, (_, index) => lookup(`select ${index}`))
  admit(pool, ...statements)
  const answers = await Promise.all(statements.map((statement) => ask(pool, statement).answer))
  t.same(answers.map(({ rows: [row] }) => Number((row as unknown[])[0])), [0, 1, 2, 3, 4])
})

t.test('a name makes room for another one', async (t) => {
  const { pool, readShared } = await openSharing(t, { preparedStatements: { max: 2 } })
  for (let index = 0; index < 6; index++) t.same((await readShared([lookup(`select ${index}`), lookup(`select ${index}`)])).length, 2)
  await until(() => pool.info.inUse === 0)
  const client = await pool.pool.connect()
  const { rowCount } = await client.query("select from pg_prepared_statements where name like '%lookup%'")
  client.release()
  t.ok(Number(rowCount) <= 2)
})

t.test('the end of the pool refuses what still waits', async (t) => {
  const { pool } = await openSharing(t)
  const lock = await holdLock(t, pool)
  const { head, others } = await behindHeld(pool, [1])
  await Promise.all(others.map(({ answer }) => answer))
  pool.end()
  await t.rejects(head.answer, /closed/)
  await lock.release()
  await t.rejects(ask(pool, twice(1)).answer, /closed/)
})
