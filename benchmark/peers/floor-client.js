/** A client for the peer `floor`: only what its statements need, over the socket of a connected pg client. Values travel as text. */
import { Client } from 'pg'

const sync = Buffer.from([0x53, 0, 0, 0, 4])
const execute = message('E', Buffer.alloc(5))

/** A message of the protocol: https://www.postgresql.org/docs/current/protocol-message-formats.html */
function message (type, body) {
  const head = Buffer.alloc(5)
  head.write(type)
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

function parse (name, text) {
  return message('P', Buffer.from(`${name}\0${text}\0\0\0`))
}

/** Binds the values to a prepared statement, and executes it. */
export function bind (name, values = []) {
  const texts = values.map((value) => value === null ? null : Buffer.from(String(value)))
  const size = texts.reduce((sum, text) => sum + 4 + (text?.length ?? 0), 0)
  const start = Buffer.byteLength(name) + 4
  const body = Buffer.alloc(start + 2 + size + 2)
  body.write(name, 1)
  body.writeInt16BE(values.length, start)
  let at = start + 2
  for (const text of texts) {
    at = body.writeInt32BE(text?.length ?? -1, at)
    if (text !== null) at += text.copy(body, at)
  }
  return Buffer.concat([message('B', body), execute])
}

/** One connection, with one group of statements under way. */
class FloorConnection {
  #socket
  #rest = Buffer.alloc(0)
  #job

  constructor (socket) {
    this.#socket = socket
    socket.removeAllListeners('data')
    socket.on('data', (piece) => this.#read(this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece])))
  }

  /** Sends messages and a Sync. Resolves with all rows, read by `readRow(buffer, offset)`, when PostgreSQL is ready again. */
  send (messages, readRow) {
    return new Promise((resolve, reject) => {
      this.#job = { readRow, rows: [], error: undefined, resolve, reject }
      this.#socket.write(Buffer.concat([...messages, sync]))
    })
  }

  end () { this.#socket.destroy() }

  #read (buffer) {
    let at = 0
    while (buffer.length - at >= 5) {
      const end = at + 1 + buffer.readInt32BE(at + 1)
      if (end > buffer.length) break
      const type = buffer[at]
      if (type === 0x44) this.#job.rows.push(this.#job.readRow(buffer, at + 7)) // DataRow
      else if (type === 0x45) this.#job.error = new Error(buffer.toString('utf8', at + 5, end)) // ErrorResponse
      else if (type === 0x5A) this.#finish() // ReadyForQuery
      at = end
    }
    this.#rest = buffer.subarray(at)
  }

  #finish () {
    const { error, rows, resolve, reject } = this.#job
    if (error === undefined) resolve(rows)
    else reject(error)
  }
}

/** A pool of such connections, all open from the beginning. */
export class FloorPool {
  #idle
  #waiting = []

  constructor (connections) {
    this.#idle = [...connections]
    this.connections = connections
  }

  /** Opens the connections, and prepares the statements on each. */
  static async open ({ connectionString, size, statements }) {
    return new FloorPool(await Promise.all(Array.from({ length: size }, async () => {
      const client = new Client(connectionString)
      await client.connect()
      await client.query("set time zone 'UTC'")
      const connection = new FloorConnection(client.connection.stream)
      await connection.send(Object.entries(statements).map(([name, text]) => parse(name, text)))
      return connection
    })))
  }

  /** Calls a function with a connection, as soon as there is one. */
  async use (fn) {
    const connection = this.#idle.pop() ?? await new Promise((resolve) => this.#waiting.push(resolve))
    try {
      return await fn(connection)
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#idle.push(connection)
      else next(connection)
    }
  }

  end () { for (const connection of this.connections) connection.end() }
}
