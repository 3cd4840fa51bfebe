import t from 'tap'
import { sql } from 'drizzle-orm'
import { backendOf, beside, killBackend, running } from '../../helpers/backend.js'
import { open } from '../../helpers/database.js'
import { openEchoing, words } from '../../helpers/echo.js'
import { holdCommits } from '../../helpers/held-commit.js'
import { users } from '../../helpers/schema.js'
import { until } from '../../helpers/until.js'
import {
  PoolTimeoutError, StatementTimeoutError, TransactionClosedError, TransactionScopeError, TransactionTimeoutError, UsageError
} from '../../../src/index.js'
import type { Session } from '../../../src/index.js'

const one = { pool: { size: 1, maxOverflow: 0 } }
const ada = { email: 'ada' }

t.test('commits once PostgreSQL has confirmed it, and rolls back', async (t) => {
  const database = await open(t)
  const kept = database.createSession()
  await kept.repo(users).create(ada)
  await kept.commit()
  t.equal(kept.outcome, 'committed')
  const undone = database.createSession()
  await undone.repo(users).create({ email: 'bob' })
  await undone.rollback()
  t.equal(undone.outcome, 'rolledBack')
  t.same((await database.repo(users).getAll()).map(({ email }) => email), ['ada'])
})

t.test('tells a commit after a rollback that nothing was saved; everything else after the end is no error', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  await session.repo(users).create(ada)
  const undone = session.rollback()
  t.ok(session.isRolledBack)
  const committed = session.commit()
  await t.rejects(committed, TransactionClosedError)
  await t.rejects(committed, { message: 'The transaction was rolled back before: nothing was saved' })
  await undone
  await session.rollback()
  await session.close()
  t.ok(session.isRolledBack)
  t.ok(session.isSettled)
})

t.test('is disposed of by "await using": what is not committed is rolled back', async (t) => {
  const { database, sent } = await openEchoing(t)
  for (const commits of [true, false]) {
    const session = database.createSession()
    await session.repo(users).create(ada)
    if (commits) await session.commit()
    await session[Symbol.asyncDispose]()
    t.equal(session.outcome, commits ? 'committed' : 'rolledBack')
    await database.repo(users).deleteMany({}, { all: true })
  }
  t.same(words(sent()).filter((trip) => trip !== 'delete'), ['begin; insert', 'commit', 'begin; insert', 'rollback'])
})

t.test('a commit that was started and not awaited is waited for, not undone', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  await session.repo(users).create(ada)
  session.commit()
  await session[Symbol.asyncDispose]()
  t.equal(session.outcome, 'committed')
})

t.test('rollback() cancels the running statement, refuses those behind it, and gives the same connection back', async (t) => {
  const database = await open(t, one)
  const session = database.createSession()
  const pid = await backendOf(session)
  const sleep = session.execute(sql`select pg_sleep(${60})`)
  const behind = session.repo(users).create(ada)
  await running(database, 'pg_sleep')
  await session.rollback()
  await t.rejects(sleep, StatementTimeoutError)
  await t.rejects(behind, TransactionClosedError)
  t.equal(await backendOf(database), pid)
})

t.test('a statement that has to travel alone is not sent once the session has ended behind its BEGIN', async (t) => {
  const { database, sent } = await openEchoing(t)
  for (let round = 0; round < 5; round++) {
    const session = database.createSession()
    const alone = session.execute(sql`select pg_sleep(60)`)
    await until(() => session.outcome === 'open')
    await session.rollback()
    await t.rejects(alone)
  }
  t.notOk(sent().some((trip) => trip.includes('pg_sleep')))
})

t.test('a late cancel of a read never hits whoever has its connection next', async (t) => {
  const database = await open(t, one)
  for (let round = 0; round < 40; round++) {
    const session = database.createSession()
    const read = session.repo(users).count()
    await until(() => database.poolInfo.inUse === 1)
    const [closed] = [session.close(), await read.catch(() => {})]
    t.equal(await database.repo(users).count(), 0)
    await closed
  }
})

t.test('timeoutMillis ends a transaction that takes longer, counted from BEGIN, and cancels what runs', async (t) => {
  const database = await open(t, one)
  const pid = await backendOf(database)
  const session = database.createSession({ timeoutMillis: 50 })
  await session.repo(users).count()
  const reason: Promise<unknown> = new Promise((resolve) => session.afterRollback(() => resolve(session.commit().catch((error) => error))))
  const [sleep] = await Promise.allSettled([session.execute(sql`select pg_sleep(${60})`)])
  t.match(sleep, { status: 'rejected' })
  t.type(await reason, TransactionTimeoutError)
  await t.rejects(session.repo(users).count(), TransactionTimeoutError)
  t.equal(session.outcome, 'rolledBack')
  t.notOk(session.isRolledBack, 'nobody who could decide so did')
  t.equal(await backendOf(database), pid)
})

t.test('timeoutMillis ends a transaction that stands idle, and does not touch one that is quicker', async (t) => {
  const database = await open(t)
  const slow = database.createSession({ timeoutMillis: 20 })
  await slow.repo(users).create(ada)
  await until(() => slow.outcome === 'rolledBack')
  await t.rejects(slow.commit(), TransactionTimeoutError)
  await database.session((session) => session.repo(users).create(ada), { timeoutMillis: 2 ** 31 - 1 })
  t.equal(await database.repo(users).count(), 1)
})

t.test('abort() tells its reason to everybody who still uses the session, and is settled by it', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  await session.repo(users).create(ada)
  const reason = new TransactionClosedError('the client left')
  const scope = session.transaction(async (scope) => { await scope.execute(sql`select pg_sleep(${60})`) })
  const waiting = session.repo(users).count()
  await running(database, 'pg_sleep')
  session.abort(reason)
  session.abort(new Error('a second one'))
  t.ok(session.isSettled)
  t.notOk(session.isRolledBack)
  t.equal(await waiting.catch((error) => error), reason)
  t.equal(await session.commit().catch((error) => error), reason)
  await session.rollback()
  await t.rejects(scope, StatementTimeoutError)
  t.equal(session.outcome, 'rolledBack')
  t.equal(await database.repo(users).count(), 0)
})

t.test('abort() in the pool\'s queue refuses what waits there with its reason', async (t) => {
  const database = await open(t, one)
  const holder = database.createSession()
  await holder.repo(users).create(ada)
  const session = database.createSession()
  const waiting = session.repo(users).create({ email: 'bob' })
  const reason = new TransactionClosedError('the client left')
  session.abort(reason)
  t.equal(await waiting.catch((error) => error), reason)
  await session.rollback()
  await holder.rollback()
  t.equal(database.poolInfo.waiting, 0)
})

t.test('abort() during a beforeCommit callback prevents the commit, and waits neither for the callback nor for its statement', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  await session.repo(users).create(ada)
  const reason = new TransactionClosedError('the client left')
  const called: string[] = []
  let finish = (): void => {}
  const finished = new Promise<void>((resolve) => { finish = resolve })
  session.beforeCommit(async () => {
    called.push('first')
    await session.execute(sql`select pg_sleep(${60})`).catch(() => {})
    await finished
  })
  session.beforeCommit(() => { called.push('second') })
  const committed = session.commit()
  await running(database, 'pg_sleep')
  session.abort(reason)
  t.equal(await committed.catch((error) => error), reason)
  t.equal(session.outcome, 'rolledBack')
  t.equal(database.poolInfo.inUse, 0)
  finish()
  await session.rollback()
  await database.repo(users).count()
  t.same(called, ['first'])
})

t.test('abort() during a beforeCommit callback keeps the next one from being called, also where no statement was run', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  const reason = new TransactionClosedError('the client left')
  session.beforeCommit(() => { session.abort(reason) })
  session.beforeCommit(() => t.fail('nothing can be kept any more'))
  t.equal(await session.commit().catch((error) => error), reason)
  await session.rollback()
})

t.test('a commit that a beforeCommit callback has prevented is told of when everything is undone', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  await session.repo(users).create(ada)
  const reason = new Error('no')
  session.beforeCommit(() => { throw reason })
  t.equal(await session.commit().catch((error) => error), reason)
  t.equal(session.outcome, 'rolledBack')
  t.equal(database.poolInfo.inUse, 0)
})

t.test('abort() between commit() and COMMIT prevents it', async (t) => {
  const { database, sent } = await openEchoing(t)
  const session = database.createSession()
  let rolledBack = 0
  session.afterRollback(() => { rolledBack++ })
  await session.repo(users).create(ada)
  const committed = session.commit()
  const reason = new TransactionClosedError('the client left')
  session.abort(reason)
  t.equal(await committed.catch((error) => error), reason)
  t.equal(rolledBack, 1)
  t.same(words(sent()), ['begin; insert', 'rollback'])
})

t.test('abort() after a commit that had nothing to do, or after one that failed, changes nothing', async (t) => {
  const database = await open(t)
  const nothing = database.createSession()
  const ran: string[] = []
  nothing.afterRollback(() => { ran.push('afterRollback') })
  await nothing.commit()
  nothing.abort(new Error('late'))
  await nothing.commit()

  const failed = database.createSession()
  failed.afterRollback(() => { ran.push('afterRollback of the failed one') })
  failed.beforeCommit(() => { throw new Error('veto') })
  const committed = failed.commit()
  await t.rejects(committed, { message: 'veto' })
  failed.abort(new Error('late'))
  await t.rejects(failed.commit(), { message: 'veto' })
  t.notOk(failed.isRolledBack, 'a commit was wanted, and whoever asks again gets its error')
  await failed.rollback()
  t.same(ran, ['afterRollback of the failed one'])
})

t.test('beforeCommit runs in order inside the transaction, may write and register more, and vetoes by throwing', async (t) => {
  const { database, sent } = await openEchoing(t)
  const order: string[] = []
  await database.session(async (session) => {
    session.beforeCommit(async () => {
      order.push('first')
      await session.repo(users).create(ada)
      session.beforeCommit(() => { order.push('third') })
    })
    session.beforeCommit(() => { order.push('second') })
  })
  t.same(order, ['first', 'second', 'third'])
  t.same(words(sent()), ['begin; insert', 'commit'])

  const veto = new Error('no')
  const session = database.createSession()
  session.afterCommit(() => { order.push('never') })
  session.beforeCommit(async () => { throw veto })
  session.beforeCommit(() => { order.push('never') })
  await session.repo(users).create({ email: 'bob' })
  t.equal(await session.commit().catch((error) => error), veto)
  t.equal(session.outcome, 'rolledBack')
  t.equal(order.length, 3)
  t.equal(await database.repo(users).count(), 1)
})

t.test('afterCommit callbacks run in order, each awaited, the first with the connection back in the pool', async (t) => {
  const database = await open(t, one)
  const order: string[] = []
  const session = database.createSession()
  await session.repo(users).create(ada)
  let finish = (): void => {}
  session.afterCommit(async () => {
    order.push(`first: ${database.poolInfo.inUse} in use, ${await database.repo(users).count()} row`)
    await new Promise<void>((resolve) => { finish = resolve })
    order.push('first is done')
  })
  session.afterCommit(() => { order.push('second') })
  session.afterRollback(() => { order.push('never') })
  await session.commit()
  await until(() => order.length === 1)
  t.same(order, ['first: 0 in use, 1 row'], 'the commit waits for none')
  const closed = database.close()
  finish()
  await closed
  t.same(order.slice(1), ['first is done', 'second'], 'the database does')
})

t.test('afterCommit callbacks have started when commit() resolves, also where nothing was opened', async (t) => {
  const database = await open(t)
  for (const writes of [true, false]) {
    const session = database.createSession()
    const ran: string[] = []
    session.afterCommit(() => { ran.push('afterCommit') })
    session.afterRollback(() => { ran.push('afterRollback') })
    if (writes) await session.repo(users).create(ada)
    await session.commit()
    t.same(ran, ['afterCommit'])
  }
})

t.test('afterRollback callbacks run after a rollback, with the connection back in the pool', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  await session.repo(users).create(ada)
  let inUse = -1
  session.afterRollback(() => { inUse = database.poolInfo.inUse })
  await session.rollback()
  t.equal(inUse, 0)
})

t.test('refuses a callback that is no function, and one that comes when all is over', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  for (const moment of ['beforeCommit', 'afterCommit', 'afterRollback'] as const) {
    t.throws(() => session[moment]('mail' as never), new UsageError(`${moment}() takes a function, which it calls by itself: pass it, not what it returns`))
  }
  await session.commit()
  t.throws(() => session.beforeCommit(() => {}), TransactionClosedError)
})

t.test('a commit with a nested scope still open is refused, and what that one does later comes to nothing', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  let go = (): void => {}
  const scope = session.transaction(async (scope) => {
    await scope.repo(users).create(ada)
    await new Promise<void>((resolve) => { go = resolve })
    return 'fine'
  })
  await until(() => session.outcome === 'open')
  await t.rejects(session.commit(), TransactionScopeError)
  t.equal(session.outcome, 'rolledBack')
  go()
  await t.rejects(scope, TransactionClosedError, 'it does not claim success for what was undone')
  t.equal(await database.repo(users).count(), 0)
})

t.test('commit() inside a nested scope is refused: the scope is open', async (t) => {
  const database = await open(t)
  await t.rejects(database.session((session) => session.transaction(async (scope) => {
    await scope.repo(users).create(ada)
    await session.commit()
  })), TransactionScopeError)
  t.equal(await database.repo(users).count(), 0)
})

t.test('a statement that still runs when commit() is called is part of it', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  session.repo(users).create(ada)
  await session.commit()
  t.equal(await database.repo(users).count(), 1)
})

t.test('a connection lost while nobody asks does not end the process, and the rollback does not hide it', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  await session.repo(users).create(ada)
  await killBackend(database, await backendOf(session))
  await session.rollback()
  t.equal(session.outcome, 'rolledBack')
  t.equal(await database.repo(users).count(), 0)
})

t.test('database.close() ends a session that is in use when its time is over', async (t) => {
  const database = await open(t, { drainTimeoutSeconds: 0.05 })
  const session = database.createSession()
  await session.repo(users).create(ada)
  await database.close()
  await t.rejects(session.repo(users).count(), { code: 'DB_CONNECTION' })
  await t.rejects(session.commit(), { code: 'DB_CONNECTION' })
})

t.test('COMMIT is waited for as long as its limit allows', async (t) => {
  const database = await open(t)
  const held = await holdCommits(t, database)
  const session = database.createSession()
  await session.repo(users).create(ada)
  const committed = session.commit()
  await held.reached()
  t.equal(session.outcome, 'open')
  await held.release()
  await committed
  t.same(await beside(database, 'select email from users'), [ada])
})

type Six = [Session, Session, Session, Session, Session, Session]

t.test('commits at once only where nothing was done, nothing is to be done, and nobody is waited for', async (t) => {
  const database = await open(t)
  const nothing = database.createSession()
  const told: string[] = []
  nothing.afterRollback(() => told.push('rolled back'))
  nothing.afterCommit(() => told.push('committed'))
  t.equal(nothing.commitNow(), true)
  t.same(told, ['committed'])
  nothing.abort(new TransactionTimeoutError())
  t.equal(nothing.commitNow(), false, 'it is settled')
  await t.rejects(nothing.repo(users).count(), TransactionClosedError)
  t.throws(() => nothing.afterCommit(() => {}), TransactionClosedError)
  await nothing.rollback()
  t.same(told, ['committed'])

  const [nested, prepared, undone, reading, written, back] = [1, 2, 3, 4, 5, 6].map(() => database.createSession()) as Six
  const sessions = [nested, prepared, undone, reading, written, back]
  let leave = (): void => {}
  const inside = nested.transaction(() => new Promise<void>((resolve) => { leave = resolve }))
  prepared.beforeCommit(() => {})
  undone.rollbackOnly()
  await written.repo(users).create({ email: 'ada' })
  await back.rollback()
  const count = reading.repo(users).count()
  for (const session of sessions) t.equal(session.commitNow(), false)

  leave()
  await Promise.all([inside, count])
  t.equal(nested.commitNow(), true)
  t.equal(reading.commitNow(), true)
  for (const session of sessions) await session.close()
})

t.test('closing the database waits for a commit that holds no connection yet', async (t) => {
  const database = await open(t)
  let begin = (): void => {}
  const begun = new Promise<void>((resolve) => { begin = resolve })
  const session = database.createSession()
  session.beforeCommit(async () => {
    await begun
    await session.repo(users).create(ada)
  })
  const commit = session.commit()
  const closed = database.close()
  for (let trip = 0; trip < 3; trip++) await beside(database, 'select 1')
  begin()
  await t.resolves(commit)
  t.equal(await closed, true)
  t.match(await beside(database, 'select email from users'), [ada])
})

t.test('knows that it was rolled back by somebody who may, and not by an abort', async (t) => {
  const database = await open(t)
  const [undone, aborted] = [database.createSession(), database.createSession()]
  await undone.rollback()
  await undone.rollback()
  t.equal(undone.isRolledBack, true)
  aborted.abort(new TransactionTimeoutError())
  await aborted.rollback()
  t.equal(aborted.isRolledBack, false)
})

t.test('does not commit at once what never left, for want of a connection', async (t) => {
  const database = await open(t, { pool: { size: 1, maxOverflow: 0, timeoutSeconds: 1 } })
  const [holder, session] = [database.createSession(), database.createSession()]
  await holder.begin()
  await t.rejects(session.repo(users).create(ada), PoolTimeoutError)
  t.equal(session.commitNow(), false)
  await t.rejects(session.commit(), { code: 'DB_TRANSACTION_ABORTED', cause: PoolTimeoutError })
  await holder.close()
})
