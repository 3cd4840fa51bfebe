/**
 * Runs any number of random programs: `npm run test:model -- --runs 20000`. `--seed <number>` repeats the programs of one seed. Add the
 * failures that it finds to found.ts.
 */
import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { programs } from './program.js'
import { openHarness } from './harness.js'

const { values } = parseArgs({ options: { runs: { type: 'string', default: '1000' }, seed: { type: 'string' } } })
const endings: Array<() => Promise<unknown>> = []
const harness = await openHarness({ teardown: (fn) => endings.unshift(fn) })
const started = performance.now()
try {
  const details = await fc.check(fc.asyncProperty(programs, (program) => harness.play(program)), {
    numRuns: Number(values.runs),
    ...(values.seed !== undefined && { seed: Number(values.seed) })
  })
  console.log(fc.defaultReportMessage(details) ??
    `${details.numRuns} programs ended as predicted (seed ${details.seed}, ${Math.round((performance.now() - started) / 1000)} s)`)
  if (details.failed) console.log(details.errorInstance)
  process.exitCode = details.failed ? 1 : 0
} finally {
  for (const end of endings) await end()
}
