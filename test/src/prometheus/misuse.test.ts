import { register } from 'prom-client'
import t from 'tap'
import * as door from '../../../src/prometheus/index.js'
import { statementChannel } from '../../../src/channels/channels.js'
import { missing, optional, options, refuses, takes } from '../../helpers/misuse.js'

const rows = {
  'prometheus(_)': takes((x) => door.prometheus(x).disable(), ...options),
  'prometheus({ registry: _ })': takes((x) => door.prometheus({ registry: x }).disable(), ...optional)
}

t.test('prometheus() explains a bad argument', (t) => refuses(t, rows))

t.test('every export has a row', async (t) => t.strictSame(missing(Object.keys(door), rows), []))

t.test('no refusal registers anything, or watches', async (t) => {
  t.strictSame(register.getMetricsAsArray(), [])
  t.notOk(statementChannel.asyncEnd.hasSubscribers)
})
