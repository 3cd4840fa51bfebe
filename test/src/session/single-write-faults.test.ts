import t from 'tap'
import { CommitUnknownError } from '../../../src/index.js'
import { backendOf, beside, killBackend } from '../../helpers/backend.js'
import { open, openByProxy } from '../../helpers/database.js'
import { holdCommits } from '../../helpers/held-commit.js'
import { users } from '../../helpers/schema.js'
import { single, watchSingle } from '../../helpers/single-write.js'

const ada = { email: 'ada@example.com' }

t.test('19: a backend that is killed while the write runs leaves the outcome unknown, which the session repeats', async (t) => {
  const database = await open(t)
  const { reached, release } = await holdCommits(t, database)
  const { session, called } = watchSingle(database)
  const writing = session.repo(users).create(ada)
  writing.catch(() => {})
  await reached()
  const inserting = "select pid from pg_stat_activity where query like 'insert into%' and datname = current_database()"
  const [backend] = await beside<{ pid: number }>(database, inserting)
  await killBackend(database, backend?.pid ?? 0)
  await t.rejects(writing, { code: 'DB_COMMIT_UNKNOWN', statusCode: 500, retryable: false, context: { operation: 'create' } })
  await t.rejects(session.commit(), CommitUnknownError)
  t.strictSame([session.outcome, called], ['unknown', []])
  await release()
  t.equal(await database.repo(users).count(), 0)
})

for (const [what, saved] of [['loseRequest', 0], ['loseAnswer', 1], ['loseReady', 1]] as const) {
  t.test(`19: a network that fails in a write (${what}) leaves its outcome unknown, and the write is not sent again`, async (t) => {
    const { database, proxy } = await openByProxy(t)
    await database.repo(users).count()
    const lost = proxy[what]('insert')
    const { session, called } = watchSingle(database)
    await t.rejects(session.repo(users).create(ada), { code: 'DB_COMMIT_UNKNOWN' })
    await lost
    await session.close()
    t.strictSame([session.outcome, called], ['unknown', []])
    t.equal(await database.repo(users).count(), saved)
  })
}

t.test('an idle connection whose backend was killed before the write is replaced', async (t) => {
  const database = await open(t, { pool: { size: 1, maxOverflow: 0 } })
  await killBackend(database, await backendOf(database))
  await database.session((session) => session.repo(users).create(ada), single)
  t.equal(await database.repo(users).count(), 1)
})

t.test('a session that is ended while its write runs cancels it; what PostgreSQL had not committed is not saved', async (t) => {
  const database = await open(t)
  const { reached, release } = await holdCommits(t, database)
  const { session, called } = watchSingle(database)
  const writing = session.repo(users).create(ada)
  const [behind, later] = [session.repo(users).count(), session.repo(users).count()]
  for (const each of [writing, behind, later]) each.catch(() => {})
  await reached()
  await session.rollback()
  await t.rejects(writing, { code: 'DB_TIMEOUT' })
  await t.rejects(behind, { code: 'DB_TRANSACTION_CLOSED' })
  await t.rejects(later, { code: 'DB_TRANSACTION_CLOSED' })
  await release()
  t.strictSame([session.outcome, called, await database.repo(users).count()], ['none', ['afterRollback'], 0])
})

t.test('a write that still waits for a connection when its session ends is not sent', async (t) => {
  const database = await open(t, { pool: { size: 1, maxOverflow: 0 } })
  const holder = await database.pool.connect()
  const { session, called } = watchSingle(database)
  const writing = session.repo(users).create(ada)
  writing.catch(() => {})
  await session.rollback()
  await t.rejects(writing, { code: 'DB_TRANSACTION_CLOSED' })
  holder.release()
  t.strictSame([session.outcome, called, await database.repo(users).count()], ['none', ['afterRollback'], 0])
})
