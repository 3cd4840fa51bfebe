import t from 'tap'
import { controls, tryControl } from './controls.js'
import { crashRun } from './crash-run.js'
import { faults } from './faults.js'
import { failuresOf } from './report.js'

t.test('83: kill -9 of the server, of PostgreSQL and of its backends under load: open work is rolled back, and all acknowledged rows are there', async (t) => {
  const result = await crashRun({ seed: 1, turns: faults.length, seconds: 60 })

  t.strictSame(failuresOf(result, { faults: faults.length, acknowledged: 200, recoveryMillis: Infinity }), [])
  t.strictSame([...result.toll.struck.keys()], faults.map(({ title }) => title), 'each has struck once')
  t.ok(result.looked > 20, 'some rows were looked after at once')
  for (const kind of ['orphan', 'swallowed']) t.ok(result.journal.refused(kind) > 0, `${kind}: refused`)
})

for (const control of controls.filter(({ title }) => ["commit: 'onResponse'", 'a statement that never left is forgotten'].includes(title))) {
  t.test(`a server that breaks its promises is found out: ${control.title}`, async (t) => {
    t.match(await tryControl(control, 1), /^after .* (late|lost|half): /)
  })
}
