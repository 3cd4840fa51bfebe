import t from 'tap'
import { sql } from 'drizzle-orm'
import { backendOf, beside, killBackend, running } from '../helpers/backend.js'
import { open, openByProxy } from '../helpers/database.js'
import { openEchoing, words } from '../helpers/echo.js'
import { holdCommits } from '../helpers/held-commit.js'
import { startRewriter } from '../helpers/rewriter.js'
import { posts, schema, tables, users } from '../helpers/schema.js'
import { until } from '../helpers/until.js'
import { createTestDatabase } from '../../src/testing/index.js'
import {
  CommitUnknownError, ConnectionError, ForeignKeyViolationError, TransactionAbortedError, TransactionClosedError, openDatabase
} from '../../src/index.js'
import type { Session } from '../../src/index.js'

const ada = { email: 'ada' }

/** Which callbacks of a session have run. */
function callbacksOf (session: Session): string[] {
  const ran: string[] = []
  session.afterCommit(() => { ran.push('afterCommit') })
  session.afterRollback(() => { ran.push('afterRollback') })
  return ran
}

t.test('17: a deferred constraint that fails at COMMIT is the error it is', async (t) => {
  const database = await open(t, { errors: { constraints: { posts_user_id_fkey: { status: 422, code: 'NO_SUCH_USER', message: 'There is no such user' } } } })
  const session = database.createSession()
  const ran = callbacksOf(session)
  await session.execute(sql`set constraints all deferred`)
  await session.repo(posts).create({ userId: 7, title: 'x' })
  const pid = await backendOf(session)
  const committed = session.commit()
  await t.rejects(committed, ForeignKeyViolationError)
  await t.rejects(committed, { statusCode: 422, code: 'NO_SUCH_USER' })
  t.equal(session.outcome, 'rolledBack')
  t.same(ran, ['afterRollback'])
  t.equal(await database.repo(posts).count(), 0)
  t.equal(await backendOf(database), pid, 'the connection is used again')
})

t.test('18: a backend lost before COMMIT was sent saved nothing, and the error says so', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  const ran = callbacksOf(session)
  await session.repo(users).create(ada)
  await killBackend(database, await backendOf(session))
  await t.rejects(session.commit(), ConnectionError)
  t.equal(session.outcome, 'rolledBack')
  t.same(ran, ['afterRollback'])
  t.equal(await database.repo(users).count(), 0)
})

t.test('18: a backend lost between the last check and COMMIT leaves no unknown outcome', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  await session.repo(users).create(ada)
  const pid = await backendOf(session)
  session.beforeCommit(() => killBackend(database, pid))
  await t.rejects(session.commit(), ConnectionError)
  t.equal(session.outcome, 'rolledBack')
})

t.test('18: a backend lost during a statement or a scope rejects with the lost connection', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  await session.repo(users).create(ada)
  const pid = await backendOf(session)
  const scope = session.transaction(async (scope) => { await scope.execute(sql`select pg_sleep(${60})`) })
  await running(database, 'pg_sleep')
  await killBackend(database, pid)
  await t.rejects(scope, ConnectionError)
  await t.rejects(session.repo(users).count(), ConnectionError)
  await t.rejects(session.commit(), ConnectionError)
  t.equal(session.outcome, 'rolledBack')

  const released = database.createSession()
  await t.rejects(released.transaction(async (scope) => {
    await scope.repo(users).create(ada)
    await killBackend(database, await backendOf(scope))
  }), ConnectionError, 'before the savepoint was released')
  await released.rollback()
  t.equal(await database.repo(users).count(), 0)
})

for (const how of ['cut', 'reset', 'silence'] as const) {
  t.test(`19: a lost answer to COMMIT (${how}) leaves the outcome unknown, and runs no callback`, async (t) => {
    const { database, proxy } = await openByProxy(t)
    const session = database.createSession({ settleTimeoutMillis: how === 'silence' ? 500 : 5000 })
    const ran = callbacksOf(session)
    await session.repo(users).create(ada)
    const lost = proxy.loseAnswer('commit', how)
    await t.rejects(session.commit(), { name: 'CommitUnknownError', statusCode: 500, retryable: false })
    await lost
    t.equal(session.outcome, 'unknown')
    t.same(ran, [])
    await session.rollback()
    t.equal(session.outcome, 'unknown', 'a rollback after it changes nothing')
    t.equal(await database.repo(users).count(), 1, 'here it was saved')
    t.equal(database.poolInfo.total, 1, 'the connection was destroyed')
  })
}

t.test('1: a COMMIT that is answered with the tag ROLLBACK is a failure', async (t) => {
  const { connectionString } = await createTestDatabase(t, { sql: tables })
  // PostgreSQL responds like this for a failed transaction; a pooler may do so for a transaction that it has lost.
  const url = await startRewriter(t, connectionString, { from: 'C\0\0\0\x0bCOMMIT\0', to: 'C\0\0\0\x0dROLLBACK\0' })
  const database = await openDatabase({ connectionString: url, schema })
  t.teardown(() => database.close())
  const session = database.createSession()
  const ran = callbacksOf(session)
  await session.repo(users).create(ada)
  await t.rejects(session.commit(), TransactionAbortedError)
  t.equal(session.outcome, 'rolledBack')
  t.same(ran, ['afterRollback'])
})

t.test('22: a COMMIT that hangs beyond the limit leaves the outcome unknown', async (t) => {
  const database = await open(t)
  const held = await holdCommits(t, database)
  const session = database.createSession({ settleTimeoutMillis: 50 })
  const ran = callbacksOf(session)
  await session.repo(users).create(ada)
  await t.rejects(session.commit(), CommitUnknownError)
  t.equal(session.outcome, 'unknown')
  t.same(ran, [])
  await held.release()
  // PostgreSQL goes on without its client: the test waits until it has ended.
  await until(async () => (await beside(
    database,
    "select from pg_stat_activity where datname = current_database() and query = 'commit' and state = 'active'"
  )).length === 0)
})

t.test('25: FATAL 57P01 as the answer to COMMIT leaves the outcome unknown', async (t) => {
  const database = await open(t)
  const held = await holdCommits(t, database)
  const session = database.createSession()
  const ran = callbacksOf(session)
  await session.repo(users).create(ada)
  const pid = await backendOf(session)
  const committed = session.commit()
  await held.reached()
  await killBackend(database, pid)
  await t.rejects(committed, { name: 'CommitUnknownError', cause: { code: '57P01' } })
  t.equal(session.outcome, 'unknown')
  t.same(ran, [])
  await held.release()
})

t.test('22: a ROLLBACK that is not answered in time ends the connection', async (t) => {
  const { database, proxy } = await openByProxy(t)
  const session = database.createSession({ settleTimeoutMillis: 50 })
  await session.repo(users).create(ada)
  proxy.blackHole()
  await session.rollback()
  t.equal(session.outcome, 'rolledBack')
  t.equal(database.poolInfo.total, 0)
  await proxy.resume()
  t.equal(await database.repo(users).count(), 0)
})

t.test('33: rollback() on a dead network ends the connections of statements and reads that still run', async (t) => {
  const { database, proxy } = await openByProxy(t)
  const writer = database.createSession({ settleTimeoutMillis: 50 })
  const reader = database.createSession({ settleTimeoutMillis: 50 })
  await writer.repo(users).create(ada)
  await database.repo(users).count() // a second connection
  proxy.blackHole()
  const statements: Array<Promise<unknown>> = [writer.repo(users).create({ email: 'bob' }), reader.repo(users).count()]
  await until(() => database.poolInfo.inUse === 2)
  await Promise.all([writer.rollback(), reader.rollback()])
  for (const statement of statements) await t.rejects(statement, ConnectionError)
  t.equal(database.poolInfo.total, 0)
  await proxy.resume()
})

t.test('23: an abort while COMMIT is on its way comes too late: the outcome stands', async (t) => {
  const database = await open(t)
  const held = await holdCommits(t, database)
  const session = database.createSession({ timeoutMillis: 2 ** 31 - 1 })
  const ran = callbacksOf(session)
  await session.repo(users).create(ada)
  const committed = session.commit()
  await held.reached()
  session.abort(new TransactionClosedError('too late'))
  const rolledBack = session.rollback()
  await held.release()
  await committed
  await rolledBack
  session.abort(new TransactionClosedError('too late'))
  t.equal(session.outcome, 'committed')
  t.same(ran, ['afterCommit'])
  t.equal(await database.repo(users).count(), 1)
})

t.test('24: commit() twice is one COMMIT, and one answer', async (t) => {
  const { database, sent } = await openEchoing(t)
  const session = database.createSession()
  await session.repo(users).create(ada)
  t.equal(session.commit(), session.commit())
  await session.commit()
  await session.rollback()
  await session.close()
  t.equal(session.outcome, 'committed')
  t.same(words(sent()), ['begin; insert', 'commit'])
})
