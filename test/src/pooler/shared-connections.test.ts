import { sql } from 'drizzle-orm'
import t from 'tap'
import { openDatabase } from '../../../src/index.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { queryOnce } from '../../helpers/backend.js'
import { recordingLogger } from '../../helpers/logger.js'
import { schema, tables } from '../../helpers/schema.js'
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
