import t from 'tap'
import { sql } from 'drizzle-orm'
import { createDatabase15 } from '../../../helpers/postgres-15.js'

t.setTimeout(600_000)

t.test('tests can use a database on PostgreSQL 15, too', async (t) => {
  const { database } = await createDatabase15(t)
  const version = sql`select current_setting('server_version_num')::int / 10000 as version`
  t.match(await database.execute(version), { rows: [{ version: 15 }] })
})
