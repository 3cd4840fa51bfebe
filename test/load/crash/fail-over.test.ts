import t from 'tap'
import { crashRun } from './crash-run.js'
import { failuresOf } from './report.js'

t.test('102: a fail-over under load keeps all acknowledged rows and none of the refused ones', async (t) => {
  const result = await crashRun({ standby: 'synchronous', seed: 1, turns: 3, seconds: 300 })

  t.strictSame(failuresOf(result, { faults: 3, acknowledged: 30, recoveryMillis: Infinity }), [])
})
