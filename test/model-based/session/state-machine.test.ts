import fc from 'fast-check'
import t from 'tap'
import { programs } from './program.js'
import { found } from './found.js'
import { openHarness } from './harness.js'

/** The number of programs that take about ten seconds. */
const runs = 1000

t.test('programs that once disagreed with the model', async (t) => {
  const harness = await openHarness(t)
  for (const { title, program } of found) await t.resolves(harness.play(program), title)
})

t.test('random programs end as the model predicts', async (t) => {
  const harness = await openHarness(t)
  // A slow machine runs fewer programs; a program that never ends is also reported.
  await fc.assert(fc.asyncProperty(programs, (program) => harness.play(program)), { numRuns: runs, timeout: 20_000, interruptAfterTimeLimit: 60_000 })
})
