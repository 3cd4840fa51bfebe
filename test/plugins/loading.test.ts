import t from 'tap'
import { createTestDatabase } from '../../src/testing/index.js'
import { loadedBy } from '../helpers/loaded-by.js'

/** The folders that only an option needs. */
const optional = /^src\/(migrations|activity|recorder)(\/|$)/

t.test('a server loads migrations, the live page, the flight recorder and @fastify/env only when something needs them', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const [door, plain, recorder, live, ignored, environment] = loadedBy(
    'plugins/index.ts',
    { connectionString },
    { connectionString, recorder: { slowRequestMillis: 0 } },
    { connectionString, health: { live: true } },
    { connectionString, migrations: { atStart: 'ignore' } },
    { variables: { DATABASE_URL: connectionString } }
  )
  const folders = (step: typeof plain) => step?.folders.filter((folder) => optional.test(folder))

  t.strictSame(folders(door), [])
  t.strictSame(plain?.files, [])
  t.strictSame(folders(recorder), ['src/activity', 'src/activity/page', 'src/recorder'])
  t.strictSame(live?.files.filter((file) => file.startsWith('plugins/')).sort(), ['plugins/live/live-feed.ts', 'plugins/live/live-routes.ts'])
  t.ok(ignored?.files.includes('src/migrations/startup-migrations.ts'))
  t.strictSame(folders(ignored)?.filter((folder) => !folder.startsWith('src/migrations')), [])
  t.strictSame([door, plain, recorder, live, ignored].map((step) => step?.packages.includes('@fastify/env')), [false, false, false, false, false])
  t.strictSame(environment?.packages.filter((name) => /env/.test(name)), ['@fastify/env', 'env-schema'])
})
