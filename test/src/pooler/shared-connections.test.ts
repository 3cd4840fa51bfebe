import { sql } from 'drizzle-orm'
import { Pool } from 'pg'
import t from 'tap'
import { openDatabase } from '../../../src/index.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { queryOnce } from '../../helpers/backend.js'
import { recordingLogger } from '../../helpers/logger.js'
import { schema, tables, users } from '../../helpers/schema.js'
import { startTransactionPooler } from '../../helpers/transaction-pooler.js'
import { until } from '../../helpers/until.js'
import { countRoundTrips, interleave } from '../../load/poolers/calm.js'

for (const keepsNames of [false, true]) {
  t.test(`a read is one round trip, a create two, and no setting stays behind, ${keepsNames ? 'with' : 'without'} names`, async (t) => {
    const { connectionString: direct } = await createTestDatabase(t, { sql: tables })
    const { connectionString } = await startTransactionPooler(t, direct, { keepsNames, servers: 3 })
    const results = [...await countRoundTrips(connectionString), ...await interleave(connectionString, 120)]
    for (const { what, seen, isKept } of results) t.ok(isKept, `${what}: ${seen}`)
  })
}

t.test('close() ends what a session and a client taken by hand run in PostgreSQL, past the pooler, and tells each once', async (t) => {
  const { connectionString: direct } = await createTestDatabase(t, { sql: tables })
  const { connectionString } = await startTransactionPooler(t, direct)
  const logger = recordingLogger()
  const database = await openDatabase({ connectionString, schema, drainTimeoutSeconds: 0.05, statementTimeoutSeconds: 0, logger })
  t.teardown(() => database.close())
  const sleeping = async (): Promise<number> => (await queryOnce(direct, "select from pg_stat_activity where state = 'active' and query like '%pg_sleep%' and pid <> pg_backend_pid() and datname = current_database()")).length
  const session = database.createSession()
  const client = await database.pool.connect()
  const cut = [
    t.rejects(session.execute(sql`select pg_sleep(3600)`), { code: 'DB_CONNECTION' }),
    t.rejects(client.query('select pg_sleep(3600)'))
  ]
  await until(async () => await sleeping() === 2)

  t.equal(await database.close(), false)

  await Promise.all(cut)
  await until(async () => await sleeping() === 0)
  t.equal(logger.lines.filter(({ level }) => level === 'error').length, 2)
  t.match(database.poolInfo, { total: 0, inUse: 0 })
  client.release()
})

for (const keepsNames of [false, true]) {
  t.test(`a pool of one's own behind a pooler that ${keepsNames ? 'keeps' : 'does not keep'} names serves all, with its own limits`, async (t) => {
    const { connectionString: direct } = await createTestDatabase(t, { sql: tables })
    const { connectionString } = await startTransactionPooler(t, direct, { keepsNames, servers: 3 })
    const pg = new Pool({ connectionString, max: 8 })
    t.teardown(() => pg.end())
    const logger = recordingLogger()
    const database = await openDatabase({ pg, schema, logger, slowQueryMillis: 3_600_000 })
    const emails = Array.from({ length: 40 }, (_, n) => `${n}@example.com`)
    await Promise.all(emails.map((email) => database.session(async (session) => {
      const { id } = await session.repo(users).create({ email })
      t.equal((await session.repo(users).getOrThrow(id)).email, email)
    })))
    await Promise.all(emails.map(async (email) => t.equal((await database.repo(users).getByOrThrow({ email })).email, email)))
    const { rows } = await database.session((session) => session.execute<{ limit: string }>(sql`select current_setting('statement_timeout') as limit`))
    t.same(rows, [{ limit: '0' }])
    t.match(logger.lines, [{ level: 'info', context: { pooler: 'transaction', preparedStatements: keepsNames } }])
    t.equal(logger.lines.length, 1)
    t.equal(await database.close(), true)
    t.match((await pg.query('select count(*)::int as total from users')).rows, [{ total: 40 }], 'it goes on without the database')
  })
}

t.test('a parameter of a pool of one\'s own that the pooler refuses is told, with the way out', async (t) => {
  const { connectionString: direct } = await createTestDatabase(t)
  const { connectionString } = await startTransactionPooler(t, direct)
  const pg = new Pool({ connectionString, statement_timeout: 5000 })
  t.teardown(() => pg.end())
  await t.rejects(openDatabase({ pg }), { code: 'DB_CONNECTION', message: /refused a startup parameter: .*with a pool of your own, give it no statement_timeout/ })
})
