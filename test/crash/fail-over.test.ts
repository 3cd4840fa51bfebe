import t from 'tap'
import { crashRun } from './crash-run.js'
import { failuresOf } from './report.js'

t.test('102: a standby that takes over, behind the same address and under load, has all acknowledged rows and none that were refused', async (t) => {
  const result = await crashRun({ standby: 'synchronous', seed: 1, turns: 3, seconds: 300 })

  t.strictSame(failuresOf(result, { faults: 3, acknowledged: 30, recoveryMillis: Infinity }), [])
})
