import { setTimeout as wait } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import t from 'tap'
import { beside } from '../../helpers/backend.js'
import { open, openByProxy } from '../../helpers/database.js'
import { holdCommits } from '../../helpers/held-commit.js'
import { users } from '../../helpers/schema.js'

const ada = { email: 'ada@example.com' }

/** The statement timeout; one second of silence after it destroys the connection. */
const impatient = { statementTimeoutSeconds: 0.5 }

/** Longer than the limit plus the silence after it, in seconds. */
const long = sql.raw('pg_sleep(2)')

t.test('51: an autocommit write over a network that falls silent is unknown; a read is not', async (t) => {
  const { database, proxy } = await openByProxy(t, impatient)
  const lost = [proxy.loseAnswer('insert into', 'silence'), proxy.loseAnswer('count(*)', 'silence')]

  await Promise.all([
    t.rejects(database.repo(users).create(ada), { code: 'DB_COMMIT_UNKNOWN', statusCode: 500 }),
    t.rejects(database.repo(users).count(), { code: 'DB_CONNECTION', statusCode: 503 }),
    ...lost
  ])

  t.match(database.poolInfo, { total: 0, inUse: 0 })
  await proxy.resume()
  t.equal(await database.repo(users).count(), 1, 'it was written')
})

t.test('51: the limit of COMMIT is settleTimeoutMillis, which may be longer than a statement\'s', async (t) => {
  const database = await open(t, { ...impatient, transaction: { settleTimeoutMillis: 3_600_000 } })
  const commits = await holdCommits(t, database)
  const work = database.session((session) => session.repo(users).create(ada))
  await commits.reached()
  await beside(database, 'set statement_timeout to 0; select pg_sleep(2)')
  await commits.release()

  t.match(await work, ada)
  t.match(database.poolInfo, { total: 1, idle: 1 })
})

t.test('51: if the server ignores a limit, the statement is cancelled and its connection destroyed', async (t) => {
  const database = await open(t, impatient)
  await database.execute(sql`create function unlimited () returns void language sql as $$ select set_config('statement_' || 'timeout', '0', true) $$`)
  const session = database.createSession()
  await session.execute(sql`select unlimited()`)

  await t.rejects(session.execute(sql`select pg_sleep(60)`), { code: 'DB_TIMEOUT' })

  await t.rejects(session.commit(), { code: 'DB_CONNECTION' })
  t.match(database.poolInfo, { total: 0 })
})

t.test('51: a limit raised by SQL is respected, and several statements in one text are not cut', async (t) => {
  const database = await open(t, impatient)
  const raising = [
    sql`SET LOCAL Statement_Timeout TO 0`,
    sql`select set_config('statement_timeout', '0', true)`,
    sql`select set_config(${'statement_timeout'}, ${'0'}, true)`
  ]
  await Promise.all([
    ...raising.map((raise) => t.resolves(database.session(async (session) => {
      await session.execute(raise)
      await session.execute(sql`select ${long}`)
    }))),
    t.resolves(database.execute(sql.raw('select pg_sleep(0.05);'.repeat(40))))
  ])
})

t.test('51: a limit raised for the server\'s session holds until the connection is reset', async (t) => {
  const database = await open(t, { ...impatient, pool: { size: 1, maxOverflow: 0, resetOnRelease: true } })
  const [connection, other] = await Promise.all([open(t, { ...impatient, pool: { size: 1, maxOverflow: 0 } }), database])
  await connection.execute(sql`set statement_timeout to 0`)
  await other.execute(sql`set statement_timeout to 0`)

  await Promise.all([
    t.resolves(connection.execute(sql`select ${long}`)),
    t.rejects(other.execute(sql`select ${long}`), { code: 'DB_TIMEOUT' })
  ])
})

t.test('51: behind a pooler a statement whose limit does not travel with it has none', async (t) => {
  const { database, proxy } = await openByProxy(t, { ...impatient, pooler: 'transaction' })
  const lost = proxy.loseAnswer('in the middle', 'silence')

  await Promise.all([
    t.resolves(database.execute(sql`do $$ begin perform ${long}; end $$`)),
    t.rejects(database.session((session) => session.execute(sql`select 'in the middle'`)), { code: 'DB_CONNECTION' }),
    lost
  ])
  await proxy.resume()
})

t.test('51: an answer that arrived while the process stood still is read, not taken for silence', async (t) => {
  const { database, proxy } = await openByProxy(t, { statementTimeoutSeconds: 0.5 })
  const client = await database.pool.connect()
  client.release()
  proxy.delay(1500)
  const answer = database.execute(sql`select 'in time' as answer`)
  // The limit and the first check of the silence have passed; then this process blocks until the answer has arrived.
  await wait(1200)
  const standsStillUntil = performance.now() + 1500
  while (performance.now() < standsStillUntil);

  t.match((await answer).rows, [{ answer: 'in time' }])
  proxy.delay(0)
  t.match(database.poolInfo, { total: 1, idle: 1 })
})

t.test('53: a slow answer is awaited as long as bytes arrive', async (t) => {
  const { database, proxy } = await openByProxy(t, { statementTimeoutSeconds: 1 })
  await database.repo(users).count()
  proxy.drip(10)

  // This takes longer than the limit plus the longest silence.
  t.match(await database.execute(sql.raw(`select '${'x'.repeat(300)}' as text`)), { rowCount: 1 })
  t.match(database.poolInfo, { total: 1, idle: 1 })
})
