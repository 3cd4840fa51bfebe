import { sql } from 'drizzle-orm'
import t from 'tap'
import { openDatabase } from '../../../src/index.js'
import { createTestDatabase, sandbox } from '../../../src/testing/index.js'
import { channelLog } from '../../helpers/channel-log.js'
import { conflicts } from '../../helpers/conflicts.js'
import { open } from '../../helpers/database.js'
import { resolveTransactionOptions } from '../../../src/settings/transaction-options.js'
import { recordingLogger } from '../../helpers/logger.js'
import { holdCommits } from '../../helpers/held-commit.js'
import { users, withTables } from '../../helpers/schema.js'

t.test('a transaction is told from its first statement to the response to COMMIT or ROLLBACK', async (t) => {
  const database = await open(t)
  const { log, started, ended, clear } = channelLog(t, ['transaction'])
  await database.session(async (session) => {
    await session.repo(users).count()
    t.same(log, [], 'a read before BEGIN')
    await session.repo(users).create({ email: 'a' })
    t.same(log.map(({ event }) => event), ['start', 'end'])
    await session.transaction((scope) => scope.repo(users).create({ email: 'b' }))
    t.equal(ended().length, 0)
  })
  t.match(started(), [{ route: 'database', isolationLevel: undefined, readOnly: false, attempt: 1, outcome: undefined }])
  t.match(ended(), [{ outcome: 'committed', statements: 2, durationMillis: Number, processId: Number, error: undefined, database: 'default' }])

  clear()
  const own = new Error('of the handler')
  await t.rejects(database.session(async (session) => { await session.repo(users).create({ email: 'c' }); throw own }), own)
  t.match(ended(), [{ outcome: 'rolledBack', statements: 1, error: undefined }])

  clear()
  await t.rejects(database.session(async (session) => { await session.repo(users).create({ email: 'a' }) }), { code: 'DB_UNIQUE' })
  t.match(ended(), [{ outcome: 'rolledBack', error: undefined }])

  clear()
  await t.rejects(database.session(async (session) => {
    await session.repo(users).create({ email: 'd' })
    await session.execute(sql`select pg_sleep(60)`)
  }, { timeoutMillis: 50 }), { code: 'DB_TIMEOUT' })
  t.match(ended(), [{ outcome: 'rolledBack', error: { name: 'TransactionTimeoutError', code: 'DB_TIMEOUT' }, statements: 2 }])
  t.equal(database.poolInfo.inUse, 0)
})

t.test('begin with the request, a check at COMMIT, and a transaction without a statement', async (t) => {
  const database = await open(t)
  const { ended, clear } = channelLog(t, ['statement', 'transaction'])
  const session = database.createSession()
  await session.begin()
  await session.commit()
  t.match(ended('transaction'), [{ outcome: 'committed', statements: 0 }])
  t.same(ended('statement'), [], 'BEGIN and COMMIT are no statements of the program')

  clear()
  await using other = database.lend(resolveTransactionOptions({}), { logger: recordingLogger(), label: 'of a plugin' })
  await other.repo(users).create({ email: 'a' })
  await other.commit()
  t.match(ended('transaction'), [{ route: 'of a plugin', attempt: 1 }])

  clear()
  await database.session(async (session) => { await session.repo(users).count() })
  t.same(ended('transaction'), [], 'one read opens no transaction')
})

t.test('a transaction in a sandbox is told as one of its own, with the process of the sandbox', async (t) => {
  const database = await open(t)
  const box = await sandbox(database)
  const { ended } = channelLog(t, ['transaction'])
  await database.session((session) => session.repo(users).create({ email: 'a' }))
  await box.rollback()
  t.match(ended(), [{ outcome: 'committed', statements: 1, processId: Number }])
})

t.test('7: each attempt of a repeated transaction has its number, and each repetition is told', async (t) => {
  const database = await open(t)
  const { collide } = await conflicts(database)
  await collide(2)
  const { ended, published } = channelLog(t, ['transaction', 'retry'])
  await database.session((session) => session.repo(users).create({ email: 'a' }), { retries: 3 })
  t.match(ended('transaction'), [{ attempt: 1, outcome: 'rolledBack' }, { attempt: 2, outcome: 'rolledBack' }, { attempt: 3, outcome: 'committed' }])
  t.match(published('retry'), [1, 2].map((attempt) => ({ attempt, route: 'database', database: 'default', sqlState: '40001', error: { code: 'DB_CONFLICT' } })))
})

t.test('a conflict at COMMIT is a transaction that was rolled back, with its SQLSTATE', async (t) => {
  const database = await open(t)
  const { collide } = await conflicts(database, 'commit')
  await collide(1)
  const { failed } = channelLog(t, ['transaction'])
  await t.rejects(database.session((session) => session.repo(users).create({ email: 'a' })), { code: 'DB_CONFLICT' })
  t.match(failed(), [{ outcome: 'rolledBack', sqlState: '40001' }])
})

t.test('a COMMIT whose response is lost has an unknown outcome', async (t) => {
  const database = await open(t)
  const { release } = await holdCommits(t, database)
  const { ended } = channelLog(t, ['transaction'])
  await t.rejects(database.session((session) => session.repo(users).create({ email: 'a' }), { settleTimeoutMillis: 500 }), { code: 'DB_COMMIT_UNKNOWN' })
  await release()
  t.match(ended(), [{ outcome: 'unknown', error: { code: 'DB_COMMIT_UNKNOWN' } }])
})

t.test('a transaction that gets no connection never began', async (t) => {
  const { connectionString } = await createTestDatabase(t, withTables)
  const database = await openDatabase({ connectionString, pool: { size: 1, maxOverflow: 0, timeoutSeconds: 1 } })
  t.teardown(() => database.close())
  const holder = database.createSession()
  await holder.begin()
  const { ended, clear } = channelLog(t, ['transaction', 'acquire'])
  await t.rejects(database.session((session) => session.repo(users).create({ email: 'a' })), { code: 'DB_POOL_TIMEOUT' })
  t.match(ended('transaction'), [{ outcome: 'none', error: { code: 'DB_POOL_TIMEOUT' }, processId: undefined }])
  t.match(ended('acquire'), [{ outcome: 'timedOut', waitMillis: Number, pool: 'default', route: 'database', waiting: 0 }])

  clear()
  const session = database.createSession()
  const waiting = session.repo(users).create({ email: 'a' })
  const refused = t.rejects(waiting, { code: 'DB_TRANSACTION_CLOSED' })
  await session.close()
  await refused
  t.match(ended('transaction'), [{ outcome: 'none', error: undefined }])
  t.match(ended('acquire'), [{ outcome: 'cancelled' }])
  await holder.close()
})

t.test('a read that has to run in the transaction, because the server has another isolation level, begins it', async (t) => {
  const { connectionString, database } = await createTestDatabase(t, withTables)
  await database.execute(sql.raw(`alter database "${database.pool.options.database}" set default_transaction_isolation to 'repeatable read'`))
  const strict = await openDatabase({ connectionString })
  t.teardown(() => strict.close())
  const { ended } = channelLog(t, ['transaction'])
  await strict.session((session) => session.repo(users).count())
  t.match(ended(), [{ outcome: 'committed', statements: Number }])
})
