import { sql } from 'drizzle-orm'
import { integer, pgTable } from 'drizzle-orm/pg-core'
import t from 'tap'
import { createTestDatabase } from '../../../src/testing/index.js'
import { open, openByProxy, unhurried } from '../../helpers/database.js'
import { declared, users, withTables } from '../../helpers/schema.js'
import { watchSent } from '../../helpers/sent.js'
import { startProxy } from '../../helpers/proxy.js'
import { startTransactionPooler } from '../../helpers/transaction-pooler.js'
import { openDatabase, type Database, type OpenOptions } from '../../../src/index.js'
import { watchPool } from '../../helpers/watch.js'
import type { PoolClient } from 'pg'

interface Writing {
  readonly connection: { readonly stream: { write (bytes: unknown): boolean } }
}

/** Runs a function while the only connection that is open is held, so that its first statement needs a new one. */
async function onNewConnection<Result> (database: Database, fn: () => Promise<Result>): Promise<Result> {
  return await database.transaction(async (session) => {
    await session.execute(sql`select 1`)
    return await fn()
  })
}

/** What each new connection sends from now on: its statements by their kinds, and how often it writes some. */
function watchNew ({ pool }: Database): { readonly sent: string[], writes: number } {
  const watched = { sent: [] as string[], writes: 0 }
  pool.on('connect', (client: PoolClient) => {
    watchSent(client, (text) => watched.sent.push(kindOf(text)))
    const { stream } = (client as unknown as Writing).connection
    const write = stream.write.bind(stream)
    stream.write = (bytes) => {
      const { length } = watched.sent
      const isWritten = write(bytes)
      if (watched.sent.length > length) watched.writes++
      return isWritten
    }
  })
  return watched
}

function kindOf (text: string): string {
  if (text.includes('as isolation')) return 'question'
  if (text.includes('not like') && text.includes('end::boolean')) return 'guard'
  return text.replace(/set_config.*/, 'set_config').replace(/ \(?"?.*/, '')
}

/** Changes a default of the database, which holds for new connections. */
async function setDefault (database: Database, setting: string): Promise<void> {
  const { rows: [row] } = await database.execute<{ name: string }>(sql`select current_database() as name`)
  await database.execute(sql.raw(`alter database "${row?.name}" set ${setting}`))
}

t.test('the first statement on a new connection is its first write, and a transaction takes one more for COMMIT', async (t) => {
  const database = await open(t, { pool: { size: 3, maxOverflow: 0 } })
  const watched = watchNew(database)

  t.strictSame(await onNewConnection(database, () => database.repo(users).getAll()), [])
  t.equal(watched.writes, 1)
  t.strictSame(watched.sent, ['guard', 'select'])
  await database.session((one) => one.transaction(async () => {
    await one.repo(users).create({ email: 'ada' })
    await onNewConnection(database, () => database.session((session) => session.repo(users).create({ email: 'grace' })))
  }))
  const last = watched.sent.lastIndexOf('guard')
  t.strictSame(watched.sent.slice(last - 1, last + 3), ['begin', 'guard', 'insert', 'commit'])
})

t.test('a connection whose statement fails behind the guard is checked all the same, and never again', async (t) => {
  const database = await open(t, { pool: { size: 3, maxOverflow: 0 } })
  const watched = watchNew(database)
  await t.rejects(onNewConnection(database, () => database.execute(sql`select 1 / ${0}::int`)))
  await onNewConnection(database, () => database.repo(users).count())

  t.strictSame(watched.sent, ['guard', 'select', 'select'])
})

t.test('a plain read on a new connection with another isolation level runs in its transaction, as if nothing had been sent', async (t) => {
  const database = await open(t, { pool: { size: 3, maxOverflow: 0 } })
  await database.repo(users).create({ email: 'ada' })
  await setDefault(database, "default_transaction_isolation = 'repeatable read'")
  const watched = watchNew(database)

  await onNewConnection(database, () => database.session(async (session) => {
    await session.repo(users).get(1)
    t.strictSame(watched.sent, ['guard', 'select', 'question', 'begin', 'select'])
    await database.pool.query('update users set balance = 5')
    t.match(await session.repo(users).get(1), { balance: 0 })
  }))
})

t.test('a read that commits by itself is repeated on a new connection with another isolation level', async (t) => {
  const database = await open(t, { pool: { size: 3, maxOverflow: 0 } })
  await setDefault(database, "default_transaction_isolation = 'serializable'")
  const watched = watchNew(database)

  t.equal(await onNewConnection(database, () => database.repo(users).count()), 0)
  t.strictSame(watched.sent, ['guard', 'select', 'question', 'select'])
})

const lists = pgTable('lists', { id: integer().primaryKey().generatedAlwaysAsIdentity(), numbers: integer().array() })

for (const [kind, write] of Object.entries({
  'commits by itself': (database: Database) => database.repo(lists).create({ numbers: [1, null] as number[] }),
  'has a transaction': (database: Database) => database.session((session) => session.repo(lists).create({ numbers: [1, null] as number[] }))
})) {
  t.test(`a write that ${kind} is applied once, where a new connection would have read its value in another way`, async (t) => {
    const database = await open(t, { pool: { size: 3, maxOverflow: 0 } })
    await database.execute(sql.raw('create table lists (id integer primary key generated always as identity, numbers integer[])'))
    await setDefault(database, 'array_nulls = off')
    const watched = watchNew(database)

    t.strictSame(await onNewConnection(database, () => write(database)), { id: 1, numbers: [1, null] })
    t.equal(watched.sent[0] === 'begin' ? watched.sent[1] : watched.sent[0], 'guard')
    t.ok(watched.sent.includes('question'))
    t.strictSame(await database.repo(lists).getAll(), [{ id: 1, numbers: [1, null] }])
  })
}

t.test('statements that nothing may lead wait until the new connection is known', async (t) => {
  const database = await open(t, { pool: { size: 3, maxOverflow: 0 } })
  const watched = watchNew(database)

  await onNewConnection(database, () => database.execute(sql.raw('select 1; select 2')))
  t.strictSame(watched.sent, ['question', 'select'])
})

for (const [what, beginning] of Object.entries({ 'as the first statement': false, 'behind begin()': true })) {
  t.test(`SET TRANSACTION ${what} of a new connection comes before any query`, async (t) => {
    const database = await open(t, { pool: { size: 3, maxOverflow: 0 } })
    const watched = watchNew(database)
    await onNewConnection(database, () => database.session(async (session) => {
      if (beginning) await session.begin()
      await session.execute(sql.raw('set transaction isolation level serializable'))
      t.match((await session.execute(sql`show transaction_isolation`)).rows, [{ transaction_isolation: 'serializable' }])
    }))
    t.notOk(watched.sent.includes('guard'))
  })
}

t.test('a lock that is the first statement on a new connection comes before the snapshot of its transaction', async (t) => {
  const database = await open(t, { pool: { size: 4, maxOverflow: 0 } })
  const watched = watchNew(database)
  await onNewConnection(database, () => database.session(async (session) => {
    await session.execute(sql.raw('lock table users in share mode'))
    await session.repo(users).count()
  }, { isolationLevel: 'repeatable read' }))
  t.strictSame(watched.sent.filter((kind) => kind !== ''), ['question', 'begin', 'lock', 'select', 'commit'])
})

t.test('a new connection that is lost while it is asked is replaced by another one', async (t) => {
  const { database, proxy } = await openByProxy(t, { pool: { size: 4, maxOverflow: 0 } })
  await setDefault(database, "default_transaction_isolation = 'repeatable read'")
  const lost = proxy.loseRequest('as isolation')

  t.equal(await onNewConnection(database, () => database.repo(users).count()), 0)
  await lost
})

t.test('a statement on a new connection that cannot be replaced is refused, and may be repeated', async (t) => {
  const { database, proxy } = await openByProxy(t, { pool: { size: 4, maxOverflow: 0 } })
  await setDefault(database, "default_transaction_isolation = 'repeatable read'")
  const lost = proxy.loseRequest('as isolation').then(() => proxy.refuse())

  await t.rejects(onNewConnection(database, () => database.repo(users).count()), { code: 'DB_CONNECTION', retryable: true })
  await lost
  await proxy.resume()
})

const limits: OpenOptions = { statementTimeoutSeconds: 7, lockTimeoutSeconds: 3, idleInTransactionTimeoutSeconds: 9 }

for (const [oddity, setUp] of Object.entries({ 'usual settings': undefined, 'other settings': 'array_nulls = off' })) {
  t.test(`the limits travel from the first statement on when an address leads through a pooler with ${oddity} since a moment ago`, async (t) => {
    const { connectionString, database: direct } = await createTestDatabase(t, withTables)
    const pooler = await startTransactionPooler(t, connectionString, { startupParameters: 'ignored' })
    const proxy = await startProxy(t, connectionString)
    const database = await openDatabase({ connectionString: proxy.connectionString, ...declared, ...unhurried, ...limits, pool: { size: 5, maxOverflow: 0 } })
    t.teardown(() => database.close())
    watchPool(t, database.pool, { url: connectionString })
    const shown = async (run: Database['execute']): Promise<unknown> => (await run<{ limit: string }>(sql`select current_setting('statement_timeout') as limit`)).rows[0]?.limit
    if (setUp !== undefined) await setDefault(direct, setUp)
    proxy.leadTo(pooler.connectionString)

    const alone = onNewConnection(database, () => shown((statement: never) => database.execute(statement)))
    t.equal(await alone, '7s')
    t.equal(await onNewConnection(database, () => database.transaction((session) => shown((statement: never) => session.execute(statement)))), '7s')
  })
}
