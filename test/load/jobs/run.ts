/**
 * Jobs that follow their transactions, under fire: `npm run test:jobs`, with `-- --jobs 2000` for fewer, `-- --library pg-boss` for one
 * of the libraries, `-- --seed 7` for another order of requests.
 *
 * Exits with 1 if a job was lost, came without its transaction, or was handled twice, or if too little happened to judge.
 */
import { parseArgs } from 'node:util'
import { jobsRun } from './jobs-run.js'
import { libraries } from './library.js'
import { describe, failuresOf } from './report.js'

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '20000' },
    library: { type: 'string' },
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' }
  }
})
process.on('SIGINT', () => process.exit(130))
process.on('SIGTERM', () => process.exit(143))

const wanted = libraries.filter((library) => values.library === undefined || library === values.library)
if (wanted.length === 0) throw new Error(`--library must be one of ${libraries.join(', ')}`)
let failed = 0
for (const library of wanted) {
  const jobs = Number(values.jobs)
  const result = await jobsRun({ library, jobs, seconds: Number(values.minutes) * 60, seed: Number(values.seed) })
  console.log(describe(result))
  const failures = failuresOf(result, { jobs, faults: jobs / 1000 })
  for (const failure of failures) console.error(`FAILED: ${failure}`)
  if (failures.length === 0) console.log('all promises kept')
  failed += failures.length
}
process.exit(failed === 0 ? 0 : 1)
