import t from 'tap'
import { Client } from 'pg'
import { createTestDatabase } from '../../../src/testing/index.js'

t.test('a test database is fresh, real and usable', async (t) => {
  const { connectionString } = await createTestDatabase(t, { sql: 'create table users (id int)' })
  const client = new Client({ connectionString })
  await client.connect()
  t.match((await client.query('select count(*) from users')).rows, [{ count: '0' }])
  await client.end()
})
