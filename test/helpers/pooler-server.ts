import { connect } from 'node:net'
import { Client } from 'pg'
import type { Socket } from 'node:net'

/** The parts of pg's client that its types lack. */
interface Internals {
  readonly connection: { readonly stream: Socket, on (event: 'parameterStatus', listener: (message: Parameter) => void): void }
  readonly processID: number
  readonly secretKey: number
}

interface Parameter { readonly parameterName: string, readonly parameterValue: string }

/** A connection of the pooler to PostgreSQL, after pg has logged in: from then on only its bytes matter. */
export interface PoolerServer {
  readonly pid: number
  /** What PostgreSQL reported of its settings. */
  readonly parameters: ReadonlyMap<string, string>
  /** Each whole message of PostgreSQL, in order; a lost connection ends with `undefined`. */
  received: (message: Buffer | undefined) => void
  write (bytes: Buffer): void
  /** Cancels what it runs; resolves when the request can hit nothing later. */
  cancel (): Promise<void>
  destroy (): void
}

/** Opens a connection to the server. */
export async function openServer (url: string): Promise<PoolerServer> {
  const client = new Client(url)
  client.on('error', () => {})
  const internals = client as unknown as Internals
  const parameters = new Map<string, string>()
  internals.connection.on('parameterStatus', ({ parameterName, parameterValue }) => parameters.set(parameterName, parameterValue))
  await client.connect()
  const { connection: { stream }, processID: pid, secretKey } = internals
  stream.removeAllListeners()
  const server: PoolerServer = {
    pid,
    parameters,
    received: () => {},
    write: (bytes) => { if (stream.writable) stream.write(bytes) },
    cancel: () => sendCancel(client, pid, secretKey),
    destroy: () => stream.destroy()
  }
  const messages = new Messages(true)
  stream.on('data', (piece: Buffer) => { for (const message of messages.read(piece)) server.received(message) })
  stream.on('error', () => {})
  stream.on('close', () => server.received(undefined))
  return server
}

function sendCancel ({ host, port }: Client, pid: number, key: number): Promise<void> {
  const request = Buffer.alloc(16)
  for (const [index, number] of [16, 80_877_102, pid, key].entries()) request.writeInt32BE(number, index * 4)
  return new Promise((resolve) => {
    const socket = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host)
    socket.on('error', () => {})
    socket.on('close', () => resolve())
    socket.end(request)
    socket.resume()
  })
}

/** Cuts bytes into whole messages. The first message of a client has no kind. */
export class Messages {
  #buffer = Buffer.alloc(0)
  /** Whether messages begin with a letter. */
  hasKinds: boolean

  constructor (hasKinds: boolean) { this.hasKinds = hasKinds }

  * read (piece: Buffer): Generator<Buffer> {
    this.#buffer = Buffer.concat([this.#buffer, piece])
    for (;;) {
      const start = this.hasKinds ? 1 : 0
      if (this.#buffer.length < start + 4) return
      const end = start + this.#buffer.readInt32BE(start)
      if (this.#buffer.length < end) return
      const message = this.#buffer.subarray(0, end)
      this.#buffer = this.#buffer.subarray(end)
      yield message
    }
  }
}
