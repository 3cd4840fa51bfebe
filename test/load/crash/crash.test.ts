import t from 'tap'
import { crashRun } from './crash-run.js'
import { faults } from './faults.js'
import { failuresOf } from './report.js'

t.test('83: kill -9 of the server, of PostgreSQL and of its backends under load: open work is rolled back, and all acknowledged rows are there', async (t) => {
  const result = await crashRun({ seed: 1, turns: faults.length, seconds: 300 })

  t.strictSame(failuresOf(result, { faults: faults.length, acknowledged: 200, recoveryMillis: Infinity }), [])
  t.strictSame([...result.toll.struck.keys()], faults.map(({ title }) => title), 'each has struck once')
  t.ok(result.looked > 20, 'some rows were looked up at once')
  for (const kind of ['orphan', 'swallowed']) t.ok(result.journal.refused(kind) > 0, `${kind}: refused`)
})
