import fc from 'fast-check'
import { Client } from 'pg'
import t from 'tap'
import { createTestDatabase } from '../../../src/testing/index.js'
import { makeTrip } from './round-trip.js'
import { trips } from './trips.js'

// The seed is fixed here. npm run test:migrations uses others.
t.test('up, down and up between any two models restores the catalogue and all rows not listed as lost', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const client = new Client({ connectionString })
  await client.connect()
  t.after(() => client.end())

  await fc.assert(fc.asyncProperty(trips, async (trip) => { await makeTrip(client, trip) }), { numRuns: 30, seed: 6 })
})
