import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { sql } from 'drizzle-orm'
import { connectionsOf } from '../helpers/connections.js'
import { open, openByProxy } from '../helpers/database.js'
import { openEchoing } from '../helpers/echo.js'
import { posts, schema, users } from '../helpers/schema.js'
import { until } from '../helpers/until.js'
import {
  ConnectionError, ReadOnlyError, TransactionAbortedError, TransactionBrokenError, TransactionClosedError, UniqueViolationError
} from '../../src/index.js'
import type { NodePgDatabase } from 'drizzle-orm/node-postgres'
import type { Session } from '../../src/index.js'

const ada = { email: 'ada' }
const impossible = sql`select 1 / ${0}::int`

/** `query` gets the type of the schema if a program registers one; these tests have several schemas and register none. */
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
  const connections = connectionsOf(database)
  const session = database.createSession()
  const ran = callbacksOf(session)
  const beforeCommit: string[] = []
  session.beforeCommit(() => { beforeCommit.push('ran') })
  await session.repo(users).create(ada)
  await session.execute(impossible).catch(() => {})
  await t.rejects(session.repo(users).create({ email: 'bob' }), TransactionAbortedError)
  await t.rejects(session.commit(), { name: 'TransactionAbortedError', cause: { context: { sqlState: '22012' } } })
  t.equal(session.outcome, 'rolledBack')
  t.same(ran, ['afterRollback'])
  t.same(beforeCommit, [], 'nothing is prepared for a commit that cannot be')
  t.equal(await database.repo(users).count(), 0)
  t.strictSame(connections(), { acquired: 2, destroyed: 0 }, 'the connection is used again')
})

t.test('3: a failure undone by the user\'s own savepoint does not prevent the commit', async (t) => {
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

t.test('4: a failing statement that is still running keeps beforeCommit callbacks from running', async (t) => {
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
    const connections = connectionsOf(database)
    const session = database.createSession()
    const ran = callbacksOf(session)
    await session.repo(users).create(ada)
    await session.execute(sql.raw(text))
    await t.rejects(session.repo(users).create({ email: 'outside' }), TransactionBrokenError)
    await t.rejects(session.commit(), TransactionBrokenError)
    t.same(ran, ['afterRollback'])
    const rows = await database.repo(users).getAll()
    t.same(rows.map(({ email }) => email), /commit|end/.test(text) ? ['ada'] : [], 'what it committed stays')
    t.strictSame(connections(), { acquired: 2, destroyed: 1 }, 'the connection of the session is destroyed')
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

t.test('13: rollbackOnly() turns a commit into a rollback, also with an open scope, and in scopes', async (t) => {
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

t.test('16c: a BEGIN that never arrived fails the write after it, and all later ones', async (t) => {
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

t.test('16c: rollback() right after the first write leaves no row, wherever the cancel arrives', async (t) => {
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

t.test('30: an error of an afterCommit callback is logged, and changes nothing', async (t) => {
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
