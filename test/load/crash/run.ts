/**
 * Promises under fire: `npm run test:crash`, with `-- --minutes 10` for longer, `-- --controls` to check that broken servers are detected,
 * `-- --standby` for a standby that takes over, `-- --subject drizzle-orm` for a rival, `-- --seed 7` for another order of events.
 *
 * Exits with 1 if a promise was broken, or if too little happened to judge.
 */
import { parseArgs } from 'node:util'
import { ways } from '../rivals/ways.js'
import { tryControls } from './controls.js'
import { crashRun } from './crash-run.js'
import { describe, failuresOf } from './report.js'
import type { WayName } from '../rivals/ways.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    subject: { type: 'string', default: 'fastify-data-access' },
    standby: { type: 'boolean', default: false },
    controls: { type: 'boolean', default: false }
  }
})
process.on('SIGINT', () => process.exit(130))
process.on('SIGTERM', () => process.exit(143))

process.exitCode = values.controls ? await tryControls(Number(values.seed)) : await run()
process.exit()

async function run (): Promise<number> {
  const [minutes, seed] = [Number(values.minutes), Number(values.seed)]
  const { subject } = values
  if (!Object.hasOwn(ways, subject)) throw new Error(`--subject must be one of ${Object.keys(ways).join(', ')}`)
  console.log(`${subject}, ${minutes} min, seed ${seed}`)
  const result = await crashRun({ subject: subject as WayName, seconds: minutes * 60, seed, ...values.standby && { standby: 'synchronous' } })
  console.log(describe(result))
  const failures = failuresOf(result, {
    // While there is no standby, COMMIT waits.
    faults: (values.standby ? 8 : 20) * minutes,
    acknowledged: (values.standby ? 200 : 2000) * minutes,
    // In a short run, one slow moment of the machine would decide the result.
    recoveryMillis: minutes < 5 ? Infinity : 1000
  })
  for (const failure of failures) console.error(`FAILED: ${failure}`)
  if (failures.length === 0) console.log('all promises kept')
  return failures.length === 0 ? 0 : 1
}
