import { sql } from 'drizzle-orm'
import t from 'tap'
import { createTestDatabase } from '../../../src/testing/index.js'
import { openDatabase } from '../../../src/index.js'
import { openServer } from '../../helpers/pooler-server.js'
import { unhurried } from '../../helpers/database.js'
import { infoOf, patient } from '../../helpers/info.js'
import { recordingLogger } from '../../helpers/logger.js'
import { declared, tables, users } from '../../helpers/schema.js'
import { startProxy } from '../../helpers/proxy.js'
import { startTransactionPooler } from '../../helpers/transaction-pooler.js'
import { until } from '../../helpers/until.js'
import { watchPool } from '../../helpers/watch.js'
import type { Database, OpenOptions, StatementRunner } from '../../../src/index.js'
import type { Line } from '../../helpers/logger.js'
import type { TransactionPoolerOptions } from '../../helpers/pooler-core.js'
import type { Proxy } from '../../helpers/proxy.js'
import type { TransactionPooler } from '../../helpers/transaction-pooler.js'
import type { Test } from '../../helpers/test.js'

interface Opened {
  readonly database: Database
  readonly direct: Database
  readonly pooler: TransactionPooler
  readonly lines: readonly Line[]
}

const limits = { statementTimeoutSeconds: 7, lockTimeoutSeconds: 3, idleInTransactionTimeoutSeconds: 9 }

async function open (t: Test, options: OpenOptions = {}, setUp: TransactionPoolerOptions = {}): Promise<Opened> {
  const { connectionString, database: direct } = await createTestDatabase(t as never, { sql: tables })
  const pooler = await startTransactionPooler(t, connectionString, setUp)
  const logger = recordingLogger()
  const database = await openDatabase({ connectionString: pooler.connectionString, ...declared, ...unhurried, ...limits, logger, ...options })
  t.teardown(() => database.close())
  watchPool(t, database.pool, { url: connectionString })
  return { database, direct, pooler, lines: logger.lines }
}

/** The three limits, as the statement sees them. */
async function limitsOf (runner: StatementRunner): Promise<string> {
  const { rows } = await runner.execute<{ all: string }>(sql`select concat_ws(' ', current_setting('statement_timeout'),
    current_setting('lock_timeout'), current_setting('idle_in_transaction_session_timeout')) as all`)
  return String(rows[0]?.all)
}

for (const startupParameters of ['refused', 'ignored'] as const) {
  t.test(`110: starts behind a pooler by which startup parameters are ${startupParameters}, and says so once`, async (t) => {
    const { database, lines } = await open(t, { pool: { size: 3, maxOverflow: 0 } }, { startupParameters })
    t.equal(await limitsOf(database), '7s 3s 0')
    await database.transaction(async (session) => t.equal(await limitsOf(session), '7s 3s 9s'))
    t.equal((await database.pool.query('show statement_timeout')).rows[0].statement_timeout, '0')
    await Promise.all(Array.from({ length: 20 }, (_, n) => database.repo(users).create({ email: `${n}` })))
    t.equal(await database.repo(users).count(), 20)
    const found = lines.filter(({ context }) => context['pooler'] === 'transaction')
    t.match(found, [{ level: 'info', context: { preparedStatements: false, startupParameters: startupParameters === 'refused' ? 'refused' : 'not trusted' } }])
    t.equal(found.length, 1)
  })
}

/** A database whose way to the pooler fails on demand. */
async function openByProxy (t: Test, options: OpenOptions, before: (proxy: Proxy) => Promise<unknown>): Promise<{ database: Database, proxy: Proxy }> {
  const { connectionString } = await createTestDatabase(t as never, { sql: tables })
  const proxy = await startProxy(t, (await startTransactionPooler(t, connectionString)).connectionString)
  await before(proxy)
  const database = await openDatabase({ connectionString: proxy.connectionString, ...declared, ...unhurried, ...options })
  t.teardown(() => database.close())
  return { database, proxy }
}

t.test('a pooler of which nothing was known when several connections were opened refuses none of their requests', async (t) => {
  const { database, proxy } = await openByProxy(t, { degraded: true, pool: { size: 4, maxOverflow: 0 } }, (proxy) => proxy.refuse())
  await proxy.resume()
  await Promise.all(Array.from({ length: 8 }, (_, n) => database.repo(users).create({ email: `${n}` })))
  t.equal(await database.repo(users).count(), 8)
})

t.test('a connection that is lost while it is asked whether names are kept is replaced, and the next one is asked', async (t) => {
  const logger = recordingLogger()
  const { database } = await openByProxy(t, { waitForDatabaseSeconds: 30, logger }, async (proxy) => { proxy.loseRequest('data_access_probe') })
  t.equal(await database.repo(users).count(), 0)
  t.equal(logger.lines.filter(({ context }) => context['pooler'] === 'transaction').length, 1)
})

t.test('names that preparedStatements: true asks for are used on, also where the pooler mixes them up', async (t) => {
  const { database } = await open(t, { preparedStatements: true, pool: { size: 3, maxOverflow: 0 } }, { servers: 1 })
  for (let round = 0; round < 3; round++) {
    t.same(await Promise.all([1, 2, 3].map(() => database.repo(users).count())), [0, 0, 0])
  }
})

t.test('limits are in force inside and outside transactions, for statements and for waits', async (t) => {
  const { database, direct } = await open(t, { statementTimeoutSeconds: 0.3, lockTimeoutSeconds: 0.1 })
  await t.rejects(database.execute(sql`select pg_sleep(60)`), { code: 'DB_TIMEOUT' })
  await t.rejects(database.session((session) => session.execute(sql`select pg_sleep(60)`)), { code: 'DB_TIMEOUT' })
  const { id } = await database.repo(users).create({ email: 'ada' })
  await direct.transaction(async (holder) => {
    await holder.execute(sql`lock table users`)
    await t.rejects(database.repo(users).update(id, { balance: 1 }), { code: 'DB_LOCK_TIMEOUT' })
    await t.rejects(database.session((session) => session.repo(users).get(id)), { code: 'DB_LOCK_TIMEOUT' }, 'a read before BEGIN')
    await t.rejects(database.session((session) => session.repo(users).update(id, { balance: 1 })), { code: 'DB_LOCK_TIMEOUT' })
  })
})

t.test('statements that refuse a transaction, and several in one text, run as they are', async (t) => {
  const { database } = await open(t)
  for (const text of [
    'create index concurrently on users (balance)', 'vacuum users', 'select 1; select 2', 'begin; select 1; commit',
    'do $$ begin perform 1; commit; end $$', '/* hint */ select 1', "insert into users (email) values ('a');", 'create table more (id int)'
  ]) await t.resolves(database.execute(sql.raw(text)), text)
})

t.test('names are used where the pooler keeps them, and no one else\'s statement is run', async (t) => {
  const { database, lines } = await open(t, {}, { keepsNames: true, servers: 2 })
  t.match(lines.find(({ context }) => context['pooler'] !== undefined), { context: { preparedStatements: true } })
  for (let round = 0; round < 5; round++) {
    await Promise.all(Array.from({ length: 6 }, async (_, n) => {
      const { id } = await database.session((session) => session.repo(users).create({ email: `${round} ${n}` }))
      t.match(await database.repo(users).get(id), { email: `${round} ${n}` })
    }))
  }
  t.same(lines.filter(({ level }) => level === 'warn'), [])
})

t.test('111: ALTER COLUMN TYPE behind a pooler that keeps names fails no read, and at most one write for each text', async (t) => {
  const { database, direct } = await open(t, { pool: { size: 4, maxOverflow: 0 } }, { keepsNames: true, servers: 2 })
  const { id } = await database.repo(users).create({ email: 'ada' })
  const read = () => database.session((session) => session.repo(users).get(id))
  const write = (balance: number) => database.session((session) => session.repo(users).update(id, { balance }))
  for (let round = 0; round < 4; round++) await Promise.all([read(), write(round), read(), write(round)])
  await direct.execute(sql`alter table users alter column balance type bigint`)
  for (let round = 0; round < 10; round++) t.match(await read(), { email: 'ada' })
  let failed = 0
  for (let round = 0; round < 10; round++) await write(round).catch((error) => { t.match(error, { statusCode: 503, retryable: true }); failed++ })
  t.ok(failed <= 1, `${failed} failed`)
})

t.test('names that the pooler turns out not to keep are given up, with one line in the log', async (t) => {
  const { database, lines, pooler } = await open(t, { pool: { size: 6, maxOverflow: 0 } }, { keepsNames: true, servers: 2 })
  pooler.setUp.keepsNames = false
  pooler.restart()
  const read = () => database.repo(users).count().catch(() => undefined)
  for (let round = 0; round < 10; round++) await Promise.all(Array.from({ length: 6 }, read))
  t.equal(await database.repo(users).count(), 0)
  t.equal(lines.filter(({ message }) => message.includes('does not keep the names')).length, 1)
})

for (const [preparedStatements, expected] of [[true, true], [false, false], [undefined, false]] as const) {
  t.test(`with pooler: 'transaction', names are ${expected ? '' : 'not '}used for preparedStatements: ${preparedStatements}`, async (t) => {
    const { database, lines } = await open(t, { pooler: 'transaction', preparedStatements }, { keepsNames: true, servers: 1 })
    await database.repo(users).count()
    t.equal(await database.repo(users).count(), 0)
    t.equal(await limitsOf(database), '7s 3s 0')
    const { rows } = await database.execute(sql`select 1 from pg_prepared_statements where name like 'POOLER%'`)
    t.equal(rows.length > 0, expected)
    t.same(lines.filter(({ context }) => context['pooler'] !== undefined), [])
  })
}

t.test('a cancelled wait, a stream, and a lost commit work through the pooler', async (t) => {
  const { database, pooler } = await open(t, { transaction: { resolveCommits: true } })
  await database.repo(users).createMany(Array.from({ length: 25 }, (_, n) => ({ email: `${n}` })))
  let read = 0
  for await (const { id } of database.repo(users).stream({}, { batchSize: 10 })) read += Number(id > 0)
  t.equal(read, 25)
  await t.rejects(database.session((session) => session.execute(sql`select pg_sleep(60)`), { timeoutMillis: 200 }), { code: 'DB_TIMEOUT' })
  const session = database.createSession()
  await session.repo(users).create({ email: 'kept' })
  pooler.restart()
  await t.rejects(session.commit(), { code: 'DB_CONNECTION' }, 'found not saved')
  await session.close()
  t.equal(await database.repo(users).count(), 25)
})

t.test('110: the refusals of a pooler are told in its own words, without any part of the URL', async (t) => {
  const { connectionString } = await createTestDatabase(t as never, { sql: tables })
  const pooler = await startTransactionPooler(t, connectionString, { password: 'right' })
  const attempt = async (change: (url: URL) => void, options: OpenOptions = {}) => {
    const url = new URL(pooler.connectionString)
    change(url)
    const error = await openDatabase({ connectionString: url.href, degraded: true, ...options }).then((database) => database.close(), (error) => error)
    t.notMatch(String(error.message), /right|wrong-one|nowhere|127/)
    return String(error.message)
  }
  t.match(await attempt((url) => { url.password = 'wrong-one' }), /\(08P01\): the pooler refused the password or the user/)
  t.match(await attempt((url) => { url.pathname = '/nowhere' }), /the pooler does not know the database/)
  t.match(await attempt((url) => { url.searchParams.set('options', '-c work_mem=4MB') }), /the pooler refused the options of the URL/)
  t.match(await attempt(() => {}, { pooler: 'none' }), /the pooler refused a startup parameter: set DATABASE_POOLER=auto/)
  pooler.maxClients = 0
  t.match(await attempt(() => {}, { degraded: false }), /the pooler accepts no more clients: lower DATABASE_POOL_SIZE/)
})

t.test('health uses a connection of the pool where the pooler allows no other one, and knows a server that is read only', async (t) => {
  const { database, pooler, direct } = await open(t, { pool: { size: 1, maxOverflow: 0 } })
  t.match(await database.checkHealth(patient), { status: 'up', readOnly: false })
  pooler.restart()
  await until(() => database.poolInfo.total === 0)
  pooler.maxClients = 1
  t.equal(await database.repo(users).count(), 0)
  t.match(await database.checkHealth(patient), { status: 'up', healthy: true })
  t.match(await infoOf(database), { pool: { total: 1 } })
  pooler.pause()
  t.match(await database.checkHealth({ timeoutMillis: 200 }), { status: 'saturated' }, 'the connection of the pool does not answer')
  pooler.resume()
  const session = database.createSession()
  await until(() => session.begin().then(() => true, () => false))
  t.match(await database.checkHealth({ timeoutMillis: 200 }), { status: 'saturated', error: 'PostgreSQL answered 08P01' })
  await session.rollback()
  await direct.execute(sql.raw(`alter database "${new URL(pooler.connectionString).pathname.slice(1)}" set default_transaction_read_only = on`))
  pooler.restart()
  t.match(await database.checkHealth({ timeoutMillis: 5000 }), { status: 'up', readOnly: true })
})

t.test('a lost server of the pooler is a lost connection', async (t) => {
  const { connectionString } = await createTestDatabase(t as never)
  const server = await openServer(connectionString)
  const gone = new Promise((resolve) => { server.received = (message) => { if (message === undefined) resolve(true) } })
  server.destroy()
  t.equal(await gone, true)
})
