import fc from 'fast-check'
import { Client } from 'pg'
import t from 'tap'
import { loadDrizzleKit } from '../../src/migrations/kit/drizzle-kit.js'
import { createTestDatabase } from '../../src/testing/index.js'
import { makeTrip } from './round-trip.js'
import { trips } from './trips.js'

// Always the same ones here; others by npm run test:migrations.
t.test('there, back and there again between any two models ends at the same catalogue, with all rows that are not marked as lost', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const client = new Client({ connectionString })
  await client.connect()
  t.after(() => client.end())
  const kit = await loadDrizzleKit()

  await fc.assert(fc.asyncProperty(trips, async (trip) => { await makeTrip(client, kit, trip) }), { numRuns: 30, seed: 6 })
})
