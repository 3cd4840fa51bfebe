// Generates load in a separate process: a number of connections for a time, each with one request after the other.
// Requests are prepared before the clock starts, and only the frame of a reply is read, so that the load costs little processor time.
import { connect } from 'node:net'
import { endpoints, seededRandom } from './endpoints.js'
import { spinMicros } from './spin.js'

const kinds = 1000

process.on('message', async (order) => process.send(await burst(order)))
process.on('disconnect', () => process.exit())
process.send('ready')

/** @type {Map<string, Buffer[]>} */
const made = new Map()

/** The requests of an endpoint, as bytes. */
function requestsOf (name) {
  const endpoint = endpoints.find((one) => one.name === name)
  const random = seededRandom(1)
  // Only a few of the large requests, because they are alike.
  const count = name === 'many' ? kinds / 10 : kinds
  const requests = made.get(name) ?? Array.from({ length: count }, () => bytesOf(endpoint.request(random)))
  made.set(name, requests)
  return requests
}

function bytesOf ({ method, path, body }) {
  const head = `${method} ${path} HTTP/1.1\r\nhost: localhost\r\n`
  if (body === undefined) return Buffer.from(`${head}\r\n`)
  const text = JSON.stringify(body)
  return Buffer.from(`${head}content-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`)
}

/** One burst, for a time or for a number of requests. */
async function burst ({ port, endpoint, connections, seconds = Infinity, count = Infinity }) {
  const requests = requestsOf(endpoint)
  const tally = { left: count, count: 0, errors: 0, firstError: undefined, micros: [] }
  const spinBefore = spinMicros()
  const start = process.hrtime.bigint()
  const endAt = seconds === Infinity ? undefined : start + BigInt(Math.round(seconds * 1e9))
  const spread = Math.ceil(requests.length / connections)
  await Promise.all(Array.from({ length: connections }, (_, index) => keepBusy(port, { requests, tally, endAt, from: index * spread })))
  const elapsedSeconds = Number(process.hrtime.bigint() - start) / 1e9

  const sorted = Float64Array.from(tally.micros).sort()
  const quantile = (part) => sorted.length === 0 ? 0 : sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]
  return {
    requests: tally.count,
    errors: tally.errors,
    firstError: tally.firstError,
    elapsedSeconds,
    p50Micros: quantile(0.5),
    p99Micros: quantile(0.99),
    spinMicros: (spinBefore + spinMicros()) / 2
  }
}

/** Keeps one connection busy, from its first request to the last reply. */
function keepBusy (port, { requests, tally, endAt, from }) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let next = from
    let sentAt = 0n
    let buffer = Buffer.alloc(0)

    const send = () => {
      const now = process.hrtime.bigint()
      if (tally.left-- <= 0 || (endAt !== undefined && now >= endAt)) return socket.end()
      sentAt = now
      socket.write(requests[next++ % requests.length])
    }
    const fail = (what) => {
      tally.errors++
      tally.firstError ??= what
    }
    socket.setNoDelay(true)
    socket.on('connect', send)
    socket.on('data', (piece) => {
      buffer = buffer.length === 0 ? piece : Buffer.concat([buffer, piece])
      const reply = frameOf(buffer)
      if (reply === undefined || buffer.length < reply.length) return
      tally.count++
      tally.micros.push(Number(process.hrtime.bigint() - sentAt) / 1000)
      if (reply.status >= 300) fail(buffer.toString())
      buffer = buffer.subarray(reply.length)
      send()
    })
    socket.on('error', (error) => fail(error.message))
    socket.on('close', resolve)
  })
}

/** The status and the total length of the reply at the start of `buffer`. `undefined` until its head is complete. */
function frameOf (buffer) {
  const end = buffer.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const head = buffer.latin1Slice(0, end)
  const name = head.indexOf('content-length: ')
  if (name === -1) throw new Error(`A reply without content-length: ${head}`)
  return { status: Number(head.slice(9, 12)), length: end + 4 + Number.parseInt(head.slice(name + 16, name + 26), 10) }
}
