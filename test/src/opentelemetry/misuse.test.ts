import t from 'tap'
import * as door from '../../../src/opentelemetry/index.js'
import { statementChannel } from '../../../src/channels/channels.js'
import { missing, optional, options, refuses, takes } from '../../helpers/misuse.js'

const rows = {
  'openTelemetry(_)': takes((x) => door.openTelemetry(x).disable(), ...options),
  'openTelemetry({ tracerProvider: _ })': takes((x) => door.openTelemetry({ tracerProvider: x }).disable(), ...optional),
  'openTelemetry({ meterProvider: _ })': takes((x) => door.openTelemetry({ meterProvider: x }).disable(), ...optional)
}

t.test('openTelemetry() explains a bad argument', (t) => refuses(t, rows))

t.test('every export has a row', async (t) => t.strictSame(missing(Object.keys(door), rows), []))

t.test('no refusal watches, or counts as a call', async (t) => {
  t.notOk(statementChannel.asyncEnd.hasSubscribers)
  t.doesNotThrow(() => door.openTelemetry().disable())
})
