/**
 * Compares repositories with their models: `npm run test:repository -- --runs 10000`. `--only reads`, `--only writes` or
 * `--only inserts` runs one part. `--seed <number>` repeats the cases of one seed.
 */
import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { readCases } from './cases.js'
import { checkInserts } from './insert-check.js'
import { insertCases } from './insert-cases.js'
import { openItems } from './open.js'
import { checkReads } from './read-check.js'
import { checkWrites } from './write-check.js'
import { writeCases } from './write-cases.js'

const { values } = parseArgs({ options: { runs: { type: 'string', default: '1000' }, seed: { type: 'string' }, only: { type: 'string' } } })
const endings: Array<() => Promise<unknown>> = []
const database = await openItems({ teardown: (fn) => endings.unshift(fn) })

const properties = {
  reads: fc.asyncProperty(readCases, (readCase) => checkReads(database, readCase)),
  writes: fc.asyncProperty(writeCases, (writeCase) => checkWrites(database, writeCase)),
  inserts: fc.asyncProperty(insertCases, (insertCase) => checkInserts(database, insertCase))
}

try {
  for (const [part, property] of Object.entries(properties)) {
    if (values.only !== undefined && values.only !== part) continue
    const started = performance.now()
    const details = await fc.check<unknown[]>(property as fc.IAsyncProperty<unknown[]>, {
      numRuns: Number(values.runs),
      ...(values.seed !== undefined && { seed: Number(values.seed) })
    })
    const took = Math.round((performance.now() - started) / 1000)
    console.log(fc.defaultReportMessage(details) ?? `${details.numRuns} cases of ${part} equal the model (seed ${details.seed}, ${took} s)`)
    if (details.failed) {
      console.log(details.errorInstance)
      process.exitCode = 1
    }
  }
} finally {
  for (const end of endings) await end()
}
