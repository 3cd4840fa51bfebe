import t from 'tap'
import { crashRun } from './crash-run.js'
import { faults } from './faults.js'
import { failuresOf } from './report.js'

t.test('83: kill -9 of server, PostgreSQL and backends under load: no acknowledged row is lost', async (t) => {
  const result = await crashRun({ seed: 1, turns: faults.length, seconds: 300 })

  t.strictSame(failuresOf(result, { faults: faults.length, acknowledged: 200, recoveryMillis: Infinity }), [])
  t.strictSame([...result.toll.struck.keys()], faults.map(({ title }) => title), 'each has struck once')
  t.ok(result.looked > 20, 'some rows were looked up at once')
  for (const kind of ['orphan', 'swallowed', 'streamedTooSoon']) t.ok(result.journal.count(kind, 'refused') > 0, `${kind}: refused`)
  for (const kind of ['hookBefore', 'hookBehind', 'hookRepeated', 'hookPromised', 'audited', 'announced', 'streamed', 'streamedAtEnd', 'streamedSized']) {
    t.ok(result.journal.count(kind, 'acknowledged') > 0, `${kind}: acknowledged`)
  }
  t.equal(result.journal.count('streamedOrphan', 'acknowledged'), 0, 'a stream whose COMMIT fails never comes whole')
})
