import { setImmediate as turn } from 'node:timers/promises'
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
  CommitUnknownError, ConnectionError, ForeignKeyViolationError, ReadOnlyError, TransactionAbortedError, TransactionBrokenError,
  TransactionClosedError, UniqueViolationError, openDatabase
} from '../../src/index.js'
import type { NodePgDatabase } from 'drizzle-orm/node-postgres'
import type { Session } from '../../src/index.js'

const ada = { email: 'ada' }
const impossible = sql`select 1 / ${0}::int`

/** The type of the schema reaches `query` where a program registers it; tests of several schemas do not. */
function relational ({ drizzle }: Session): NodePgDatabase<typeof schema>['query'] {
  return (drizzle as unknown as NodePgDatabase<typeof schema>).query
}

/** Which callbacks of a session have run. */
function callbacksOf (session: Session): string[] {
  const ran: string[] = []
  session.afterCommit(() => { ran.push('afterCommit') })
  session.afterRollback(() => { ran.push('afterRollback') })
  return ran
}

t.test('3: a commit after a swallowed failure is refused, with the first failure as its cause', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  const ran = callbacksOf(session)
  const beforeCommit: string[] = []
  session.beforeCommit(() => { beforeCommit.push('ran') })
  await session.repo(users).create(ada)
  const pid = await backendOf(session)
  await session.execute(impossible).catch(() => {})
  await t.rejects(session.repo(users).create({ email: 'bob' }), TransactionAbortedError)
  await t.rejects(session.commit(), { name: 'TransactionAbortedError', cause: { context: { sqlState: '22012' } } })
  t.equal(session.outcome, 'rolledBack')
  t.same(ran, ['afterRollback'])
  t.same(beforeCommit, [], 'nothing is prepared for a commit that cannot be')
  t.equal(await database.repo(users).count(), 0)
  t.equal(await backendOf(database), pid, 'the connection is used again')
})

t.test('3: a failure that the user\'s own savepoint has undone does not count, and is no cause of a later one', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  await session.repo(users).create(ada)
  await session.execute(sql`savepoint mine`)
  await t.rejects(session.repo(users).create(ada), UniqueViolationError)
  await session.execute(sql`rollback to savepoint mine`)
  await session.execute(impossible).catch(() => {})
  await t.rejects(session.commit(), { cause: { context: { sqlState: '22012' } } })

  await database.session(async (session) => {
    await session.execute(sql`savepoint mine`)
    await session.execute(impossible).catch(() => {})
    await session.execute(sql`rollback to savepoint mine`)
    await session.repo(users).create(ada)
  })
  t.equal(await database.repo(users).count(), 1)
})

t.test('4: an un-awaited failing statement ends no process, and the commit refuses', async (t) => {
  const database = await open(t)
  const unhandled: unknown[] = []
  const note = (error: unknown): void => { unhandled.push(error) }
  process.on('unhandledRejection', note)
  t.teardown(() => { process.off('unhandledRejection', note) })
  const ways: Record<string, (session: Session) => unknown> = {
    'a repository': (session) => session.repo(posts).create({ userId: 7, title: 'x' }),
    'execute with sql': (session) => session.execute(impossible),
    'execute with a query': (session) => session.execute(session.drizzle.insert(posts).values({ userId: 7, title: 'x' })),
    'a drizzle query': (session) => session.drizzle.insert(posts).values({ userId: 7, title: 'x' }).execute(),
    'drizzle.execute': (session) => session.drizzle.execute(impossible).execute(),
    'a relational query': (session) => relational(session).users.findMany({ extras: { n: sql<number>`1 / 0`.as('n') } }).execute(),
    'a prepared query': (session) => session.drizzle.select({ n: sql`1 / 0` }).from(users).prepare('p').execute()
  }
  for (const [name, way] of Object.entries(ways)) {
    const session = database.createSession()
    await session.repo(users).create({ email: name })
    way(session)
    await t.rejects(session.commit(), { name: 'TransactionAbortedError', cause: { context: { sqlState: /23503|22012/ } } }, name)
  }
  const nested = database.createSession()
  nested.transaction(async (scope) => { await scope.repo(posts).create({ userId: 7, title: 'x' }) })
  await nested.rollback()
  await turn()
  t.same(unhandled, [])
  t.equal(await database.repo(users).count(), 0)
})

t.test('4: a failing statement that is still on its way keeps beforeCommit callbacks from being called', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  let called = false
  session.beforeCommit(() => { called = true })
  session.execute(impossible)
  await t.rejects(session.commit(), TransactionAbortedError)
  t.notOk(called)
})

for (const text of ['commit', 'rollback', 'commit; begin', 'rollback; begin', 'commit and chain', 'rollback and chain', 'end', 'abort']) {
  t.test(`5: the user's "${text}" breaks the session, and nothing more is run`, async (t) => {
    const database = await open(t)
    const session = database.createSession()
    const ran = callbacksOf(session)
    await session.repo(users).create(ada)
    const pid = await backendOf(session)
    await session.execute(sql.raw(text))
    await t.rejects(session.repo(users).create({ email: 'outside' }), TransactionBrokenError)
    await t.rejects(session.commit(), TransactionBrokenError)
    t.same(ran, ['afterRollback'])
    const rows = await database.repo(users).getAll()
    t.same(rows.map(({ email }) => email), /commit|end/.test(text) ? ['ada'] : [], 'what it committed stays')
    t.not(await backendOf(database), pid, 'the connection is destroyed')
  })
}

t.test('13: rollbackOnly() makes of a commit a rollback that succeeds', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  const ran = callbacksOf(session)
  session.beforeCommit(() => { ran.push('beforeCommit') })
  await session.repo(users).create(ada)
  session.rollbackOnly('a dry run')
  await session.commit()
  await session.commit()
  t.equal(session.outcome, 'rolledBack')
  t.same(ran, ['afterRollback'])

  const plain = database.createSession()
  await plain.repo(users).create(ada)
  plain.rollbackOnly()
  await plain.commit()
  t.equal(plain.outcome, 'rolledBack')
  t.equal(await database.repo(users).count(), 0)
})

t.test('13: rollbackOnly() makes one also of a commit that meets an open scope, and so it does on a scope', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  const ran = callbacksOf(session)
  session.rollbackOnly()
  const left = session.transaction((scope) => scope.repo(users).create(ada))
  await session.commit()
  await t.rejects(left, TransactionClosedError)
  t.equal(session.outcome, 'rolledBack')
  t.same(ran, ['afterRollback'])

  await database.session(async (session) => {
    let inner: Promise<unknown> = Promise.resolve()
    t.equal(await session.transaction((scope) => {
      scope.rollbackOnly()
      inner = scope.transaction((innermost) => innermost.repo(users).create(ada))
      return 'a dry run'
    }), 'a dry run')
    await t.rejects(inner, TransactionClosedError)
  })
  t.equal(await database.repo(users).count(), 0)
})

t.test('15: a write in a read only session is refused as the caller\'s mistake', async (t) => {
  const { database, sent } = await openEchoing(t)
  await t.rejects(database.session((session) => session.repo(users).create(ada), { accessMode: 'read only' }), ReadOnlyError)
  t.same(sent().map((trip) => trip.split(';')[0]), ['begin read only', 'rollback'])
})

t.test('16c: a BEGIN that never arrived takes the write behind it, and those after that, along', async (t) => {
  const { database, proxy } = await openByProxy(t)
  const session = database.createSession()
  const lost = proxy.loseRequest('begin')
  const writes = [session.repo(users).create(ada), session.repo(users).create({ email: 'bob' })]
  await lost
  for (const write of writes) await t.rejects(write, ConnectionError)
  await t.rejects(session.repo(users).create({ email: 'eve' }), ConnectionError)
  await t.rejects(session.commit(), ConnectionError)
  t.equal(await database.repo(users).count(), 0)
})

t.test('16c: rollback() right behind the first write leaves nothing, wherever the cancel arrives', async (t) => {
  const database = await open(t)
  for (let round = 0; round < 10; round++) {
    await Promise.all(Array.from({ length: 4 }, async (_, n) => {
      const session = database.createSession()
      const writes = ['a', 'b', 'c'].map((letter) => session.repo(users).create({ email: `${round}${n}${letter}` }))
      await until(() => session.outcome === 'open')
      await session.rollback()
      await Promise.allSettled(writes)
    }))
  }
  t.equal(await database.repo(users).count(), 0)
})

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

t.test('18: a backend lost before COMMIT was sent has saved nothing, and the error says so', async (t) => {
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

t.test('18: a backend lost between the last look and COMMIT is no unknown outcome', async (t) => {
  const database = await open(t)
  const session = database.createSession()
  await session.repo(users).create(ada)
  const pid = await backendOf(session)
  session.beforeCommit(() => killBackend(database, pid))
  await t.rejects(session.commit(), ConnectionError)
  t.equal(session.outcome, 'rolledBack')
})

t.test('18: a backend lost in the middle of a statement, or of a scope, rejects with what was lost', async (t) => {
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
  t.test(`19: an answer to COMMIT that was lost (${how}) leaves the outcome unknown, and runs no callback`, async (t) => {
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
  // PostgreSQL says so for a transaction that failed, and a pooler may for one that it has lost.
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
  // PostgreSQL goes on without its client: the test is over when it has ended.
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

t.test('29: after the end every statement is refused, whichever handle it takes', async (t) => {
  const { database, sent } = await openEchoing(t)
  for (const settle of ['commit', 'rollback', 'close'] as const) {
    const session = database.createSession()
    const repo = session.repo(users)
    const { drizzle } = session
    const scope = await session.transaction((scope) => scope)
    await repo.create({ email: settle })
    await session[settle]()
    sent()
    const zombies: Array<Promise<unknown>> = [
      repo.count(), repo.create({ email: 'z' }), session.repo(users).count(), session.execute(sql`select 1`), session.begin(),
      session.execute(drizzle.select().from(users)), drizzle.insert(users).values({ email: 'z' }).execute(), drizzle.select().from(users).execute(),
      drizzle.transaction(async () => {}), session.transaction(() => {}), scope.repo(users).count(), scope.transaction(() => {})
    ]
    for (const zombie of zombies) await t.rejects(zombie, TransactionClosedError)
    t.throws(() => session.afterCommit(() => {}), TransactionClosedError)
    session.rollbackOnly()
    t.same(sent(), [], settle)
  }
  t.equal(await database.repo(users).count(), 1)
})

t.test('30: what an afterCommit callback throws is logged, and changes nothing', async (t) => {
  const { database, lines } = await openEchoing(t)
  const ran: number[] = []
  await database.session(async (session) => {
    await session.repo(users).create(ada)
    session.afterCommit(() => { ran.push(1); throw new Error('mail') })
    session.afterCommit(async () => { ran.push(2); throw new Error('more mail') })
    session.afterCommit(() => { ran.push(3) })
  })
  await database.close()
  t.same(ran, [1, 2, 3])
  t.match(lines.filter(({ level }) => level === 'error'), [
    { context: { err: { message: 'mail' } }, message: 'a callback after the commit failed' },
    { context: { err: { message: 'more mail' } } }
  ])
})
