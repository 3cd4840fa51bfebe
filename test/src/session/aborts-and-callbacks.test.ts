import t from 'tap'
import { sql } from 'drizzle-orm'
import { backendOf, running } from '../../helpers/backend.js'
import { open } from '../../helpers/database.js'
import { openEchoing, words } from '../../helpers/echo.js'
import { users } from '../../helpers/schema.js'
import { until } from '../../helpers/until.js'
import { StatementTimeoutError, TransactionClosedError, TransactionTimeoutError, UsageError } from '../../../src/index.js'

const one = { pool: { size: 1, maxOverflow: 0 } }
const ada = { email: 'ada' }

t.test('timeoutMillis ends a transaction too long after BEGIN, and cancels its statement', async (t) => {
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

t.test('timeoutMillis ends an idle transaction, and leaves a quicker one alone', async (t) => {
  const database = await open(t)
  const slow = database.createSession({ timeoutMillis: 20 })
  await slow.repo(users).create(ada)
  await until(() => slow.outcome === 'rolledBack')
  await t.rejects(slow.commit(), TransactionTimeoutError)
  await database.session((session) => session.repo(users).create(ada), { timeoutMillis: 2 ** 31 - 1 })
  t.equal(await database.repo(users).count(), 1)
})

t.test('abort() rejects all use of the session with its reason, and settles it', async (t) => {
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

t.test('abort() in the pool\'s queue refuses waiting statements with its reason', async (t) => {
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

t.test('abort() in a beforeCommit callback prevents the commit without waiting for the callback', async (t) => {
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

t.test('abort() in a beforeCommit callback skips the next callbacks, also without a statement', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  const reason = new TransactionClosedError('the client left')
  session.beforeCommit(() => { session.abort(reason) })
  session.beforeCommit(() => t.fail('nothing can be kept any more'))
  t.equal(await session.commit().catch((error) => error), reason)
  await session.rollback()
})

t.test('a commit vetoed by beforeCommit rejects after the rollback is complete', async (t) => {
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

t.test('beforeCommit runs in order, inside the transaction, may write, and vetoes by throwing', async (t) => {
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

t.test('afterCommit callbacks run in order, each awaited, after the connection\'s release', async (t) => {
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

t.test('afterCommit callbacks have started when commit() resolves, also without a transaction', async (t) => {
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

t.test('isRolledBack holds after a rollback by the program, and not after an abort', async (t) => {
  const database = await open(t)
  const [undone, aborted] = [database.createSession(), database.createSession()]
  await undone.rollback()
  await undone.rollback()
  t.equal(undone.isRolledBack, true)
  aborted.abort(new TransactionTimeoutError())
  await aborted.rollback()
  t.equal(aborted.isRolledBack, false)
})
