import t from 'tap'
import { runMigrations } from '../../src/migrations/index.js'
import { startMigrating } from '../helpers/migrating.js'
import { first, second } from '../src/migrations/history.js'
import { build } from '../src/migrations/setup.js'

t.test('55: of two runners that start together, fifty times, one applies each file and the other reports none', async (t) => {
  const { connectionString, folder, client } = await build(t, [first, second])
  const options = { connectionString, folder }

  for (let round = 0; round < 50; round++) {
    const both = await Promise.all([runMigrations(options), runMigrations(options)])
    t.strictSame(both.map(({ applied }) => applied.length).sort(), [0, 2], `round ${round}`)
    const { rows } = await client.query<{ count: number }>('select count(*)::int as count from drizzle.__drizzle_migrations')
    t.strictSame(rows, [{ count: 2 }])
    await client.query('drop schema drizzle cascade; drop table users, posts')
  }
})

t.test('55: of two processes that start together one applies each file, and the other reports none', async (t) => {
  const { connectionString, folder } = await build(t, [first, second])
  const ends = await Promise.all([startMigrating(t, connectionString, { folder }).ended, startMigrating(t, connectionString, { folder }).ended])

  t.strictSame(ends.map(({ code }) => code), [0, 0], ends.map(({ stderr }) => stderr).join())
  t.strictSame(ends.map(({ stdout }) => stdout).sort(), ['["0000_users","0001_posts"]', '[]'])
})
