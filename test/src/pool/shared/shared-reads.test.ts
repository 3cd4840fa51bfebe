import t, { type Test } from 'tap'
import pg from 'pg'
import { beside } from '../../../helpers/backend.js'
import { caller, openPool } from '../../../helpers/pool.js'
import { recordingLogger } from '../../../helpers/logger.js'
import { admit, ask, held, heldBy, holdLock, lookup, openSharing } from '../../../helpers/sharing.js'
import { until } from '../../../helpers/until.js'
import type { Answer, Asked } from '../../../helpers/sharing.js'
import type { Statement } from '../../../../src/statement/statement.js'

const number = (value: number): Statement => lookup('select $1::int, pg_backend_pid()', value)
const numbers = Array.from({ length: 40 }, (_, value) => number(value))

t.test('reads of one turn travel over one connection, and each caller gets its own rows', async (t) => {
  const { pool, lanes, readShared } = await openSharing(t)
  const rows = await readShared(numbers)
  t.same(rows.map(([row]) => Number((row as unknown[])[0])), numbers.map((_, value) => value))
  t.equal(new Set(rows.map(([row]) => (row as unknown[])[1])).size, 1, 'one backend has answered')
  t.ok(lanes() > 0, 'the connection is released in the name of all of them')
  t.match(pool.info, { inUse: 0, waiting: 0 })
})

t.test('a lookup travels alone until it was seen to be quick', async (t) => {
  const { pool } = await openSharing(t)
  const [statement] = numbers as [Statement]
  t.equal((await ask(pool, statement).answer).isShared, false)
  await until(async () => (await ask(pool, statement).answer).isShared)
  t.pass('measured over connections of its own')
})

t.test('other statements have connections of their own', async (t) => {
  const { pool, lanes } = await openSharing(t)
  const [statement] = numbers as [Statement]
  const others: Record<string, Statement> = {
    'a list': { ...statement, context: { operation: 'filter' } },
    'a statement without a name': { ...statement, name: undefined },
    'a write': { ...statement, kind: 'write' },
    'a lookup with very many values': lookup(`select 1 where 1 in (${Array.from({ length: 101 }, (_, index) => `$${index + 1}::int`).join(', ')})`, ...Array(101).fill(1))
  }
  for (const [name, other] of Object.entries(others)) {
    admit(pool, other)
    t.equal((await ask(pool, other).answer).isShared, false, name)
  }
  t.equal(lanes(), 0)
})

t.test('a second connection is shared when the first one has much to do', async (t) => {
  const { pool } = await openSharing(t)
  const lock = await holdLock(t, pool)
  admit(pool, held, ...numbers)
  const first = ask(pool, held)
  const behind = numbers.slice(0, 12).map((statement) => ask(pool, statement))
  await until(() => pool.info.inUse > 0)
  const others = numbers.map((statement) => ask(pool, statement))
  t.same((await Promise.all(others.map(({ answer }) => answer))).length, 40)
  await Promise.all(behind.map(({ answer }) => answer))
  await lock.release()
  t.same((await first.answer).rows, [['', 42]])
})

t.test('reads that wait for connections share the first one that arrives', async (t) => {
  const { pool } = await openSharing(t, { pool: { size: 1, maxOverflow: 0, timeoutSeconds: 3600 } })
  const reason = new Error('left')
  let answers: Answer[] = []
  // On a busy machine PostgreSQL may be slow, and then they are repeated over connections of their own.
  await until(async () => {
    const taken = await pool.connect(caller)
    admit(pool, ...numbers)
    const [left, ...waiting] = numbers.map((statement) => ask(pool, statement)) as [Asked, ...Asked[]]
    await until(() => pool.info.waiting === numbers.length)
    left.cancel(reason)
    await t.rejects(left.answer, reason)
    t.equal(pool.info.waiting, numbers.length - 1, 'a caller that leaves waits no more')
    taken.release()
    answers = await Promise.all(waiting.map(({ answer }) => answer))
    return answers.every(({ isShared }) => isShared)
  })
  t.same(answers.map(({ rows: [row] }) => Number((row as unknown[])[0])), numbers.slice(1).map((_, index) => index + 1))
})

t.test('a caller that leaves in the turn of its read is refused', async (t) => {
  const { pool } = await openSharing(t)
  admit(pool, ...numbers)
  const reads = numbers.slice(0, 3).map((statement) => ask(pool, statement))
  const reason = new Error('left')
  for (const { cancel } of reads.slice(0, 2)) cancel(reason)
  for (const { answer } of reads.slice(0, 2)) await t.rejects(answer, reason)
  t.same((await reads[2]?.answer)?.rows.length, 1)
})

/** Stops the clock of this process; the function moves it on, in milliseconds. */
function stopClock (t: Test): (millis: number) => void {
  let stopped = performance.now()
  t.intercept(performance, 'now', { value: () => stopped })
  return (millis) => { stopped += millis }
}

t.test('a connection whose read is late gets no more reads, and those behind it are repeated as soon as another connection is answered', async (t) => {
  const { pool, readShared } = await openSharing(t)
  await readShared(numbers)
  const lock = await holdLock(t, pool)
  admit(pool, held, ...numbers)
  const pass = stopClock(t)
  const late = ask(pool, held)
  await lock.waited(1)
  const behind = ask(pool, numbers[3] as Statement)
  pass(7)
  let isAnswered = false
  await until(() => {
    ask(pool, numbers[4] as Statement).answer.then(() => { isAnswered = true })
    return isAnswered
  })
  t.match(await behind.answer, { isShared: false, rows: [['3']] })
  await lock.release()
  t.match(await late.answer, { isShared: true, rows: [['', '42']] })
})

t.test('a shared connection takes no more reads after a while when others wait for one', async (t) => {
  const { pool, readShared } = await openSharing(t, { pool: { size: 1, maxOverflow: 0, timeoutSeconds: 3600 } })
  await readShared([...numbers, held, heldBy(42)])
  const [lock, otherLock] = [await holdLock(t, pool), await holdLock(t, pool, 42)]
  const pass = stopClock(t)
  const first = ask(pool, held)
  await lock.waited(1)
  pass(4)
  const second = ask(pool, heldBy(42))
  await lock.release()
  await first.answer
  pass(4)
  const waiting = pool.connect(caller)
  await until(() => pool.info.waiting === 1)
  const third = ask(pool, numbers[0] as Statement)
  t.equal(pool.info.waiting, 2, 'it waits for a connection as well')
  await otherLock.release()
  const connection = await waiting
  connection.release()
  t.equal((await second.answer).isShared, true)
  t.match(await third.answer, { rows: [['0']] })
})

t.test('a shared connection of a large pool stays while others wait for one, until it has no more reads', async (t) => {
  const { pool, readShared } = await openSharing(t, { pool: { size: 8, maxOverflow: 0, timeoutSeconds: 3600 } })
  await readShared([held, heldBy(42)])
  const [lock, otherLock] = [await holdLock(t, pool), await holdLock(t, pool, 42)]
  const taken = await Promise.all(Array.from({ length: 7 }, () => pool.connect(caller)))
  admit(pool, held, heldBy(42))
  const pass = stopClock(t)
  const first = ask(pool, held)
  await lock.waited(1)
  const waiting = pool.connect(caller)
  await until(() => pool.info.waiting === 1)
  pass(4)
  const released = lock.release()
  t.equal((await first.answer).isShared, true)
  pass(4)
  const second = ask(pool, heldBy(42))
  await released
  await otherLock.waited(1)
  await otherLock.release()
  t.equal((await second.answer).isShared, true)
  for (const connection of [await waiting, ...taken]) connection.release()
  await until(() => pool.info.inUse === 0)
})

t.test('a shared connection gives way to those that wait for one', async (t) => {
  const { pool, readShared } = await openSharing(t, { pool: { size: 1, maxOverflow: 0, timeoutSeconds: 3600 } })
  await readShared(numbers)
  const over = new AbortController()
  const readers = numbers.map(async (statement) => { while (!over.signal.aborted) await ask(pool, statement).answer })
  for (let turn = 0; turn < 3; turn++) {
    const connection = await pool.connect(caller)
    connection.release()
  }
  over.abort()
  await Promise.all(readers)
  t.pass('reads never end, and others get the connection')
})

t.test('nothing is shared without names of statements, and behind a pooler', async (t) => {
  for (const options of [{ preparedStatements: false }, { pooler: 'transaction', preparedStatements: true }] as const) {
    const { pool } = await openSharing(t, options)
    admit(pool, ...numbers)
    const answers = await Promise.all(numbers.map((statement) => ask(pool, statement).answer))
    t.equal(answers.filter(({ isShared }) => isShared).length, 0, JSON.stringify(options))
  }
})

t.test('a connection with another isolation level is not shared', async (t) => {
  const pool = await openPool(t, { pool: { size: 10, maxOverflow: 0, sharedReads: true } })
  await beside({ pool: pool.pool }, `alter database "${String(pool.channels.namespace)}" set default_transaction_isolation = 'repeatable read'`)
  admit(pool, ...numbers)
  const answers = await Promise.all(numbers.map((statement) => ask(pool, statement).answer))
  t.equal(answers.filter(({ isShared }) => isShared).length, 0)
})

t.test('gives up when another program sends statements of its own in front of the reads', async (t) => {
  const logger = recordingLogger()
  const { pool, readShared } = await openSharing(t, { logger })
  await readShared(numbers)
  const own = pg.Client.prototype.query as (this: pg.Client, ...args: unknown[]) => unknown
  t.teardown(() => { pg.Client.prototype.query = own as never })
  pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]): unknown {
    if (this.database === pool.channels.namespace) own.call(this, "set application_name to 'traced'", () => {})
    return own.apply(this, args)
  } as never
  const answers = await Promise.all(numbers.map((statement) => ask(pool, statement).answer))
  t.same(answers.map(({ rows: [row] }) => Number((row as unknown[])[0])), numbers.map((_, value) => value), 'no answer reaches another caller')
  admit(pool, ...numbers)
  t.equal((await ask(pool, numbers[0] as Statement).answer).isShared, false)
  t.match(logger.lines.map(({ message }) => message), [/sharedReads has no effect any more/])
})

t.test('a connection is shared for a while only', async (t) => {
  const { pool, lanes, readShared } = await openSharing(t)
  await readShared(numbers)
  const before = lanes()
  const reader = async (statement: Statement): Promise<void> => { while (lanes() < before + 3) await ask(pool, statement).answer }
  await Promise.all(numbers.map(reader))
  t.pass('it is released although reads never end')
})
