import t from 'tap'
import { createTestDatabase } from '../../../../src/testing/index.js'

// Nothing here closes it: were it to keep the process, the file would never end.
const { database } = await createTestDatabase(t, { sql: 'create table notes (id int primary key)' })

t.test('a database for the whole file serves its tests', async (t) => {
  t.match(await database.drizzle.execute('select count(*)::int as notes from notes'), { rows: [{ notes: 0 }] })
})

t.test('a database for the whole file ends with the file, with its health connection', async (t) => {
  t.match(await database.checkHealth(), { healthy: true })
})
