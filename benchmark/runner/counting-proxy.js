import { once } from 'node:events'
import { connect, createServer } from 'node:net'

const startup = 196608
const sync = 'S'.charCodeAt(0)
const query = 'Q'.charCodeAt(0)
const terminate = 'X'.charCodeAt(0)
const readyForQuery = 'Z'.charCodeAt(0)
const quietMillis = 10

/**
 * A proxy before PostgreSQL that reads the protocol and counts round trips. A round trip begins when a client sends a message while no answer is
 * pending, and ends with the ReadyForQuery after which none is pending. Messages sent in between cost no extra round trip.
 * The proxy forwards messages after the client has been quiet for a while, so that the speed of the first answer does not matter.
 */
export async function startCountingProxy (port) {
  const counts = { roundTrips: 0, syncs: 0, owed: 0 }
  const sockets = new Set()
  const server = createServer({ noDelay: true }, (client) => {
    const postgres = connect({ port, host: '127.0.0.1', noDelay: true })
    const watch = new Conversation(counts)
    const pieces = []
    let quiet
    client.on('data', (piece) => {
      pieces.push(piece)
      clearTimeout(quiet)
      quiet = setTimeout(() => {
        const batch = Buffer.concat(pieces.splice(0))
        watch.sent(batch)
        postgres.write(batch)
      }, quietMillis)
    })
    postgres.on('data', (piece) => {
      watch.answered(piece)
      client.write(piece)
    })
    for (const [one, other] of [[client, postgres], [postgres, client]]) {
      sockets.add(one)
      one.on('error', () => {}).on('close', () => { other.destroy() })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: server.address().port,
    counts,
    async stop () {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    }
  }
}

/** One connection, in messages: https://www.postgresql.org/docs/current/protocol-message-formats.html */
class Conversation {
  #counts
  #fromClient = Buffer.alloc(0)
  #fromServer = Buffer.alloc(0)
  /** Whether the session has begun. From then on each message of the client has a type. */
  #isOpen = false
  /** Whether the client has requested encryption. The answer is one byte without a frame. */
  #awaitsByte = false
  #isUnderWay = false
  #owed = 0

  constructor (counts) { this.#counts = counts }

  sent (piece) {
    this.#fromClient = Buffer.concat([this.#fromClient, piece])
    for (let kind = this.#nextOfClient(); kind !== undefined; kind = this.#nextOfClient()) {
      if (kind === terminate) return
      if (!this.#isUnderWay) this.#counts.roundTrips++
      this.#isUnderWay = true
      if (kind === sync || kind === query) {
        this.#owe(1)
        this.#counts.syncs++
      }
    }
  }

  answered (piece) {
    if (this.#awaitsByte) {
      this.#awaitsByte = false
      return
    }
    this.#fromServer = Buffer.concat([this.#fromServer, piece])
    while (this.#fromServer.length >= 5) {
      const length = 1 + this.#fromServer.readInt32BE(1)
      if (this.#fromServer.length < length) return
      if (this.#fromServer[0] === readyForQuery) this.#owe(-1)
      this.#fromServer = this.#fromServer.subarray(length)
    }
  }

  #owe (count) {
    this.#owed += count
    this.#counts.owed += count
    if (this.#owed === 0) this.#isUnderWay = false
  }

  /** The type of the client's next message: 0 if it has none, `undefined` if it is not complete. */
  #nextOfClient () {
    const buffer = this.#fromClient
    const start = this.#isOpen ? 1 : 0
    if (buffer.length < start + 4) return undefined
    const length = start + buffer.readInt32BE(start)
    if (buffer.length < length) return undefined
    this.#fromClient = buffer.subarray(length)
    if (this.#isOpen) return buffer[0]
    if (buffer.readInt32BE(4) === startup) {
      this.#isOpen = true
      // The first ReadyForQuery answers it, after the password.
      this.#owe(1)
    } else {
      this.#awaitsByte = true
    }
    return 0
  }
}
