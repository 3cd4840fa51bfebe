// Adds latency between the servers and PostgreSQL, in a separate process: node runner/latency-proxy.js <port> <millis>.
// Delays data in each direction by half of the round trip.
import { connect, createServer } from 'node:net'

const [port, roundTripMillis] = process.argv.slice(2).map(Number)
const oneWayMillis = roundTripMillis / 2

const server = createServer({ noDelay: true }, (client) => {
  const postgres = connect({ port, host: '127.0.0.1', noDelay: true })
  hold(client, postgres)
  hold(postgres, client)
})

/** Timers of the same duration fire in the order in which they were set, so the data stays in order. */
function hold (from, to) {
  from.on('data', (piece) => setTimeout(() => to.write(piece), oneWayMillis))
  from.on('end', () => setTimeout(() => to.end(), oneWayMillis))
  from.on('error', () => to.destroy())
  from.on('close', () => setTimeout(() => to.destroy(), oneWayMillis))
}

server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
process.on('disconnect', () => process.exit())
