import t from 'tap'
import { sql } from 'drizzle-orm'
import { ConnectionError, PoolTimeoutError, ReadOnlyError, TransactionClosedError, ValidationError } from '../../../src/errors/errors.js'
import { setsSomething } from '../../../src/statement/sets-something.js'
import { open } from '../../helpers/database.js'
import { users } from '../../helpers/schema.js'
import { until } from '../../helpers/until.js'
import type { Database } from '../../../src/index.js'
import type { Test } from '../../helpers/test.js'

const fill = sql`insert into users (email, balance) select 'u' || n, n from generate_series(1, 25) n`

async function openFilled (t: Test, options: Parameters<typeof open>[1] = {}): Promise<Database> {
  const database = await open(t, options)
  await database.execute(fill)
  return database
}

async function balances (rows: AsyncIterable<{ balance: number }>): Promise<number[]> {
  const read: number[] = []
  for await (const { balance } of rows) read.push(balance)
  return read
}

const free = (database: Database): Promise<unknown> => until(() => database.poolInfo.inUse === 0)

t.test('gives every row in order with any batch size, and takes a connection only while read', async (t) => {
  const database = await openFilled(t)
  const repo = database.repo(users)
  const all = Array.from({ length: 25 }, (_, n) => n + 1)
  for (const batchSize of [1, 5, 24, 25, 26, 1000]) {
    t.strictSame(await balances(repo.stream({}, { batchSize, orderBy: { id: 'asc' } })), all)
    t.equal(database.poolInfo.inUse, 0)
  }
  t.strictSame(await balances(repo.stream({ balance: { gt: 22 } }, { orderBy: { balance: 'desc' }, columns: ['balance'] })), [25, 24, 23])
  t.strictSame(await balances(repo.stream({ balance: { gt: 99 } })), [])
  repo.stream()
  t.equal(database.poolInfo.inUse, 0, 'one that nobody reads takes none')
})

t.test('all rows come from one snapshot, without uncommitted rows of the session', async (t) => {
  const database = await openFilled(t)
  await database.session(async (session) => {
    await session.repo(users).create({ email: 'own', balance: 100 })
    const rows = session.repo(users).stream({}, { batchSize: 10 })
    t.equal((await rows.next()).value?.balance, 1)
    await database.repo(users).create({ email: 'later', balance: 101 })
    t.strictSame((await balances(rows)).at(-1), 25)
  })
})

t.test('break, a throw and return() give the connection back', async (t) => {
  const database = await openFilled(t)
  const repo = database.repo(users)
  for await (const row of repo.stream({}, { batchSize: 2 })) if (row.balance === 3) break
  t.equal(database.poolInfo.inUse, 0)
  await t.rejects(async () => { for await (const row of repo.stream({}, { batchSize: 2 })) if (row.balance === 2) throw new Error(row.email) }, /u2/)
  t.equal(database.poolInfo.inUse, 0)
  const rows = repo.stream({}, { batchSize: 2 })
  await rows.next()
  t.equal(database.poolInfo.inUse, 1)
  await rows.return()
  t.equal(database.poolInfo.inUse, 0)
})

t.test('an error of PostgreSQL ends it at any batch, as an error of ours', async (t) => {
  const database = await openFilled(t)
  const repo = database.repo(users)
  await t.rejects(balances(repo.stream(sql`nope = 1`)), { code: 'DB_ERROR', context: { operation: 'stream', table: 'users' } })
  await t.rejects(balances(repo.stream(sql`1 / (${users.balance} - 20) < 9`, { batchSize: 5 })), { code: 'DB_ERROR' })
  await t.rejects(balances(repo.stream(sql`nextval('users_id_seq') > 0`)), ReadOnlyError)
  t.equal(database.poolInfo.inUse, 0)
})

t.test('refuses bad input at once, before the first read', async (t) => {
  const repo = (await openFilled(t)).repo(users)
  for (const batchSize of [0, -1, 1.5, NaN, 10_001, '5']) t.throws(() => repo.stream({}, { batchSize: batchSize as number }), ValidationError)
  t.throws(() => repo.stream({ nope: 1 } as never), ValidationError)
  t.throws(() => repo.stream({}, { orderBy: { nope: 'asc' } as never }), ValidationError)
  t.throws(() => repo.stream({}, { limit: 5 } as never), /"limit" of a read is not an option/)
})

t.test('a stream opened before the commit is readable after it; one opened later is refused', async (t) => {
  const database = await openFilled(t)
  const session = database.createSession()
  await session.repo(users).create({ email: 'new', balance: 26 })
  const rows = session.repo(users).stream()
  await session.commit()
  t.equal((await balances(rows)).length, 26)
  t.throws(() => session.repo(users).stream(), TransactionClosedError)
})

t.test('the end of its session ends it, in the middle of a batch as between two', async (t) => {
  const database = await openFilled(t)
  const idle = await database.session(async (session) => {
    const rows = session.repo(users).stream({}, { batchSize: 2 })
    await rows.next()
    return rows
  })
  t.equal(database.poolInfo.inUse, 0)
  await idle.next()
  await t.rejects(idle.next(), TransactionClosedError)

  const session = database.createSession()
  const slow = t.rejects(balances(session.repo(users).stream(sql`pg_sleep(20) is not null`)), TransactionClosedError)
  await until(async () =>
    (await database.execute(sql`select from pg_stat_activity where datname = current_database() and state = 'active' and query ~ '^fetch forward'`)).rowCount ===
    1)
  const closed = session.close()
  t.throws(() => session.repo(users).stream(), TransactionClosedError)
  await closed
  await slow
  t.equal(database.poolInfo.inUse, 0)
})

t.test('the end of its session ends all that were opened in it', async (t) => {
  const database = await openFilled(t)
  const streams = await database.session(async (session) => {
    const streams = [1, 2].map(() => session.repo(users).stream({}, { batchSize: 1 }))
    for (const rows of streams) await rows.next()
    return streams
  })
  t.equal(database.poolInfo.inUse, 0)
  for (const rows of streams) await t.rejects(rows.next(), TransactionClosedError)
})

t.test('a full pool is a PoolTimeoutError, at once if the session holds a connection', async (t) => {
  const database = await openFilled(t, { pool: { size: 1, maxOverflow: 0, timeoutSeconds: 1 } })
  await database.session(async (session) => {
    await session.repo(users).create({ email: 'new' })
    const error = await balances(session.repo(users).stream()).catch((error: unknown) => error)
    t.ok(error instanceof PoolTimeoutError)
    t.match(error, { message: /before the first write, or after the commit/, statusCode: 503, retryable: true })
    await t.rejects(balances(database.repo(users).stream()), PoolTimeoutError)
  })
  t.equal((await balances(database.repo(users).stream())).length, 26)
  const session = database.createSession()
  await session.repo(users).count()
  t.equal((await balances(session.repo(users).stream())).length, 26, 'a session that holds none waits')
  await session.close()
})

t.test('one that waits for a connection is let go when its session ends', async (t) => {
  const database = await openFilled(t, { pool: { size: 1, maxOverflow: 0, timeoutSeconds: 20 } })
  const holder = database.createSession()
  await holder.begin()
  const session = database.createSession()
  const waiting = t.rejects(balances(session.repo(users).stream()), TransactionClosedError)
  await until(() => database.poolInfo.waiting === 1)
  await session.close()
  await waiting
  await holder.close()
})

t.test('a connection that is lost between two batches is an error, and not pooled', async (t) => {
  const database = await openFilled(t)
  const rows = database.repo(users).stream({}, { batchSize: 5 })
  for (let n = 0; n < 5; n++) await rows.next()
  await database.execute(sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and state = 'idle in transaction'`)
  await t.rejects(balances(rows), ConnectionError)
  await free(database)
})

t.test('database.close() ends an abandoned stream when its time is over', async (t) => {
  const database = await openFilled(t, { drainTimeoutSeconds: 0.2 })
  const rows = database.repo(users).stream({}, { batchSize: 5 })
  await rows.next()
  t.equal(await database.close(), false)
  await t.rejects(balances(rows), ConnectionError)
})

t.test('limits that a pooler refuses at the start travel with its BEGIN as well', async (t) => {
  const database = await openFilled(t, { pooler: 'transaction', statementTimeoutSeconds: 0.2 })
  await t.rejects(balances(database.repo(users).stream(sql`pg_sleep(20) is not null`)), { code: 'DB_TIMEOUT' })
})

const settings = [
  "select set_config('app.tenant', '42', true)", "/* tenant */ set local app.tenant = '42'", "set app.tenant to '42'", 'set role none',
  '-- now\nSET search_path = public',
  'reset all', "select 1; set local app.tenant = '42'", 'set session authorization default', "set local transaction_timeout = '1h'"
]
const settingNothing = [
  "update users set balance = balance where email = 'set_config'", 'update users\nset balance = 0', 'set transaction isolation level read committed',
  'set constraints all deferred',
  'set session characteristics as transaction read write', "insert into users (email) values ('a') on conflict (email) do update set balance = 0",
  'select 1 as reset'
]

t.test('is refused with the way out if its session has set something that would not apply to it', async (t) => {
  const database = await openFilled(t)
  for (const text of settings.filter((text) => !text.includes('transaction_timeout'))) {
    await database.session(async (session) => {
      await session.execute(sql.raw(text))
      t.throws(() => session.repo(users).stream(), { code: 'DB_USAGE', statusCode: 500, message: /cursor\(\)/ }, text)
      session.rollbackOnly()
    })
  }
  t.strictSame(settings.filter((text) => !setsSomething(text)), [])
})

t.test('is read where its session has set nothing that another connection would lack', async (t) => {
  const database = await openFilled(t)
  for (const text of settingNothing) {
    await database.session(async (session) => {
      await session.execute(sql.raw(text))
      t.equal((await session.repo(users).stream().next()).value?.id, 1, text)
      session.rollbackOnly()
    })
    await free(database)
  }
})

t.test('is refused at its first batch where its session has set something since it was opened', async (t) => {
  const database = await openFilled(t)
  await database.session(async (session) => {
    const [rows, early] = [session.repo(users).stream(), session.repo(users).stream({}, { batchSize: 20 })]
    await early.next()
    await session.execute(sql`select set_config('app.tenant', ${'42'}, true)`)
    await t.rejects(rows.next(), { code: 'DB_USAGE' })
    t.equal((await balances(early)).length, 24, 'one that has begun goes on')
  })
})

t.test('is read again when the nested scope that has set something was undone, and only then', async (t) => {
  const database = await openFilled(t)
  await database.session(async (session) => {
    await session.transaction(async (scope) => {
      await scope.execute(sql`set local app.tenant = '42'`)
      t.throws(() => session.repo(users).stream(), { code: 'DB_USAGE' })
      scope.rollbackOnly()
    })
    t.equal((await session.repo(users).stream().next()).value?.id, 1)
    await session.transaction((scope) => scope.execute(sql`set local app.tenant = '42'`))
    await session.transaction((scope) => scope.rollbackOnly())
    t.throws(() => session.repo(users).stream(), { code: 'DB_USAGE' })
  })
})
