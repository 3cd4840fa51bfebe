/** Migrates between random models, up and down: `npm run test:migrations -- --runs 10000`. `--seed <number>` repeats a run. */
import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { Client } from 'pg'
import { createTestDatabase } from '../../../src/testing/index.js'
import { makeTrip, type Outcome } from './round-trip.js'
import { trips } from './trips.js'

const { values } = parseArgs({ options: { runs: { type: 'string', default: '1000' }, seed: { type: 'string' } } })
const { connectionString, drop } = await createTestDatabase()
const client = new Client({ connectionString })
const started = performance.now()
try {
  await client.connect()
  const outcomes = new Map<Outcome, number>()
  const details = await fc.check(fc.asyncProperty(trips, async (trip) => {
    const outcome = await makeTrip(client, trip)
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  }), {
    numRuns: Number(values.runs),
    ...(values.seed !== undefined && { seed: Number(values.seed) })
  })
  console.log(fc.defaultReportMessage(details) ??
    `${details.numRuns} trips, and each came back to its start (seed ${details.seed}, ${Math.round((performance.now() - started) / 1000)} s): ${[...outcomes].map(([outcome, count]) => `${count} times ${outcome}`).join(', ')}`)
  if (details.failed) console.log(details.errorInstance)
  process.exitCode = details.failed ? 1 : 0
} finally {
  await client.end()
  await drop()
}
