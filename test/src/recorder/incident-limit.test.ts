import t from 'tap'
import { IncidentLimit } from '../../../src/recorder/incident-limit.js'

t.test('of one kind and route one incident is written in a period', async (t) => {
  const limit = new IncidentLimit(30_000)

  t.same([0, 1, 29_999, 30_000, 30_001].map((now) => limit.admits({ kind: 'deadlock', route: 'GET /' }, now)), [true, false, false, true, false])
  t.ok(limit.admits({ kind: 'deadlock', route: 'GET /other' }, 30_002))
  t.ok(limit.admits({ kind: 'leak', route: 'GET /' }, 30_002))
})

t.test('requests of all routes that wait in vain are one incident', async (t) => {
  const limit = new IncidentLimit(30_000)

  t.ok(limit.admits({ kind: 'pool time-out', route: 'GET /' }, 0))
  t.notOk(limit.admits({ kind: 'pool time-out', route: 'GET /other' }, 1))
})

t.test('in a period ten incidents are written, whatever happens', async (t) => {
  const limit = new IncidentLimit(30_000)

  const admitted = Array.from({ length: 1000 }, (_, count) => limit.admits({ kind: 'deadlock', route: `GET /${count}` }, count))

  t.equal(admitted.filter(Boolean).length, 10)
  t.ok(limit.admits({ kind: 'deadlock', route: 'GET /1' }, 31_000))
})
