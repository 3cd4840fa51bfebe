import t from 'tap'
import { sql } from 'drizzle-orm'
import { backendOf, beside, killBackend, running } from '../../helpers/backend.js'
import { open } from '../../helpers/database.js'
import { openEchoing, words } from '../../helpers/echo.js'
import { holdCommits } from '../../helpers/held-commit.js'
import { users } from '../../helpers/schema.js'
import { until } from '../../helpers/until.js'
import {
  PoolTimeoutError, StatementTimeoutError, TransactionClosedError, TransactionScopeError, TransactionTimeoutError
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

t.test('commit() after a rollback throws, and every other call after the end is fine', async (t) => {
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

t.test('"await using" rolls back uncommitted work', async (t) => {
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

t.test('rollback() cancels the running statement, refuses waiting ones, and frees the connection', async (t) => {
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

t.test('a statement that is sent alone is skipped if the session ended after its BEGIN', async (t) => {
  const { database, sent } = await openEchoing(t)
  const { pool } = database.host
  const acquire = pool.acquire.bind(pool)
  for (let round = 0; round < 5; round++) {
    const session = database.createSession()
    const ended = new Promise<void>((resolve) => {
      pool.acquire = (request) => acquire({
        ...request,
        lend: (connection) => {
          request.lend(connection) // sends BEGIN
          resolve(session.rollback())
        }
      })
    })
    await t.rejects(session.execute(sql`select pg_sleep(60)`))
    await ended
  }
  t.notOk(sent().some((trip) => trip.includes('pg_sleep')))
  t.match(database.poolInfo, { total: 1, idle: 1 }, 'its connection goes back to the pool')
})

t.test('a late cancel of a read never hits the next user of its connection', async (t) => {
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

t.test('a commit with an open nested scope is refused, and that scope\'s later work is dropped', async (t) => {
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

t.test('a connection lost while idle does not end the process, and rollback() succeeds', async (t) => {
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

t.test('commits at once only without past, open and waiting work', async (t) => {
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

t.test('does not commit at once if a statement was never sent', async (t) => {
  const database = await open(t, { pool: { size: 1, maxOverflow: 0, timeoutSeconds: 1 } })
  const [holder, session] = [database.createSession(), database.createSession()]
  await holder.begin()
  await t.rejects(session.repo(users).create(ada), PoolTimeoutError)
  t.equal(session.commitNow(), false)
  await t.rejects(session.commit(), { code: 'DB_TRANSACTION_ABORTED', cause: PoolTimeoutError })
  await holder.close()
})
