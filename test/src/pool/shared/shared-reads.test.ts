import t from 'tap'
import { open } from '../../../helpers/database.js'
import { users } from '../../../helpers/schema.js'

t.test('admits', async (t) => {
  const database = await open(t, { pool: { sharedReads: true } })
  const { id } = await database.repo(users).create({ email: 'ada' })
  for (let i = 0; i < 25; i++) await database.repo(users).get(id)
  const all = Promise.all(Array.from({ length: 50 }, () => database.repo(users).get(id)))
  await new Promise((resolve) => setTimeout(resolve, 0))
  t.comment(database.poolInfo)
  const rows = await all
  t.equal(rows.length, 50)
  for (const row of rows) t.match(row, { id, email: 'ada' })
  t.comment(database.poolInfo)
})
