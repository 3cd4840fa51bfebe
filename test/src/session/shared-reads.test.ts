import t from 'tap'
import { sql } from 'drizzle-orm'
import { beside, running } from '../../helpers/backend.js'
import { channelLog } from '../../helpers/channel-log.js'
import { openEchoing } from '../../helpers/echo.js'
import { posts, users } from '../../helpers/schema.js'
import { until } from '../../helpers/until.js'
import { LockTimeoutError, TransactionClosedError } from '../../../src/index.js'
import type { Test } from '../../helpers/test.js'
import type { Database, OpenOptions, Session } from '../../../src/index.js'

const many = Array.from({ length: 20 })

/** A database with two users, and the reads that have travelled over shared connections. */
async function openSharing (t: Test, options: OpenOptions = {}) {
  const opened = await openEchoing(t, { pool: { size: 10, maxOverflow: 0, sharedReads: true }, ...options })
  const { database } = opened
  // The first read on a new connection is not shared, so all of them are opened and used.
  const sessions = Array.from({ length: database.pool.options.max }, () => database.createSession())
  await Promise.all(sessions.map((session) => session.begin()))
  await Promise.all(sessions.map((session) => session.rollback()))
  await database.repo(users).createMany([{ email: 'ada' }, { email: 'bob' }])
  const { published, ended } = channelLog(t, ['release', 'statement'], database.pool.options.database ?? new URL(String(database.pool.options.connectionString)).pathname.slice(1))
  const lanes = (): number => published('release').filter(({ route }) => route === 'shared reads').length
  /** Reads until the shape is admitted, and all of one turn have shared a connection. */
  const share = async (read: () => Promise<unknown>): Promise<void> => {
    await until(async () => {
      const [before, released] = [lanes(), published('release').length]
      await Promise.all(many.map(read))
      return lanes() === before + 1 && published('release').length === released + 1
    })
  }
  return { ...opened, lanes, share, ended }
}

/** The ways to read by key outside a transaction. */
const ways: Record<string, (database: Database) => { get: () => Promise<unknown>, end: () => Promise<void> }> = {
  'of database.repo': (database) => ({ get: () => database.repo(users).get(1), end: async () => {} }),
  'of a session': (database) => ofSession(database.createSession()),
  'of a session with single': (database) => ofSession(database.createSession({ single: true }))
}

function ofSession (session: Session) {
  return { get: () => session.repo(users).get(1), end: () => session.commit() }
}

for (const [name, way] of Object.entries(ways)) {
  t.test(`lookups ${name} share a connection, and each is told like any other`, async (t) => {
    const { database, share, sent, ended } = await openSharing(t)
    const { get, end } = way(database)
    await share(get)
    sent()
    t.match(await Promise.all(many.map(get)), many.map(() => ({ id: 1, email: 'ada', balance: 0 })))
    await end()
    t.equal(sent().filter((text) => text.includes('"email"')).length, many.length, 'the log has one line for each')
    const last = ended('statement').slice(-many.length)
    t.ok(last.every(({ operation, rows, durationMillis, processId }) => operation === 'get' && rows === 1 && Number(durationMillis) >= 0 && Number(processId) > 0))
    t.match(database.poolInfo, { inUse: 0 })
  })
}

t.test('without the option nothing is shared', async (t) => {
  const { database, lanes } = await openSharing(t, { pool: { size: 10, maxOverflow: 0 } })
  for (let count = 0; count < 30; count++) await database.repo(users).get(1)
  await Promise.all(many.map(() => database.repo(users).get(1)))
  t.equal(lanes(), 0)
})

t.test('lookups in a transaction, in a context, with a lock, and of SQL are not shared', async (t) => {
  const { database, share, lanes } = await openSharing(t)
  await share(() => database.repo(users).get(1))
  await share(() => database.repo(users).getBy({ email: 'ada' }))
  const before = lanes()
  const inContext = database.withContext({ settings: { 'app.tenant_id': '1' } })
  await database.transaction(async (session) => { await session.repo(users).get(1) })
  await database.session(async (session) => { await session.repo(users).get(1) }, { isolationLevel: 'repeatable read' })
  await database.session(async (session) => { await session.repo(users).get(1) }, { context: { settings: { 'app.tenant_id': '1' } } })
  await inContext.repo(users).get(1)
  await database.repo(users).getBy({ email: 'ada' }, { lock: 'update' })
  await database.repo(users).getBy(sql`email = 'ada'`)
  await database.drizzle.select().from(users).where(sql`id = 1`)
  await database.execute(sql`select 1`)
  await database.repo(users).filter({ id: 1 })
  t.equal(lanes(), before)
})

t.test('a session that reads over a shared connection has no transaction, and its write begins one', async (t) => {
  const { database, share } = await openSharing(t)
  await share(() => database.repo(users).get(1))
  await database.session(async (session) => {
    const reads = many.map(() => session.repo(users).get(1))
    await session.repo(users).update(1, { balance: 5 })
    t.match(await Promise.all(reads), many.map(() => ({ balance: 0 })), 'reads come first')
    t.match(await session.repo(users).get(1), { balance: 5 })
  })
  t.match(await database.repo(users).get(1), { balance: 5 })
})

t.test('the reads of a locked table hold up no others', async (t) => {
  const { database, share } = await openSharing(t)
  await database.repo(posts).create({ userId: 1, title: 'Hello' })
  await share(() => database.repo(users).get(1))
  await share(() => database.repo(posts).get(1))
  const lock = database.createSession()
  await lock.execute(sql`lock table users in access exclusive mode`)
  const locked = many.slice(0, 5).map(() => database.repo(users).get(1))
  t.match(await Promise.all(many.slice(0, 5).map(() => database.repo(posts).get(1))), many.slice(0, 5).map(() => ({ title: 'Hello' })))
  await lock.rollback()
  t.match(await Promise.all(locked), many.slice(0, 5).map(() => ({ email: 'ada' })))
})

t.test('the errors are those of reads with connections of their own', async (t) => {
  const { database, share } = await openSharing(t, { lockTimeoutSeconds: 0.3 })
  await share(() => database.repo(users).getBy({ email: { like: 'ada' } }))
  const wrong = await Promise.allSettled(['ada', 'ada\\', 'bob'].map((like) => database.repo(users).getBy({ email: { like } })))
  t.match(wrong, [{ value: { id: 1 } }, { reason: { code: String } }, { value: { id: 2 } }])
  for (const way of Object.values(ways)) {
    const { get, end } = way(database)
    await share(get)
    const lock = database.createSession()
    await lock.execute(sql`lock table users in access exclusive mode`)
    await t.rejects(get(), LockTimeoutError)
    await lock.rollback()
    await end().catch(() => {})
  }
})

t.test('close() and an abort during a shared read refuse it, and cancel nothing', async (t) => {
  const { database, share } = await openSharing(t)
  await share(() => database.repo(users).get(1))
  const lock = database.createSession()
  await lock.execute(sql`lock table users in access exclusive mode`)
  const session = database.createSession()
  const read = session.repo(users).get(1)
  const other = database.repo(users).get(2)
  await running(database, 'from "users"')
  await session.close()
  await t.rejects(read, TransactionClosedError)
  await lock.rollback()
  t.match(await other, { email: 'bob' })
  t.equal((await beside(database, 'select 1')).length, 1)
})
