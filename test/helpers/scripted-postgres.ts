/**
 * A scripted server that speaks PostgreSQL's protocol, for responses that a real server cannot be made to send. The test reads the messages
 * of a client in order, and answers each one.
 */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { openDatabase } from '../../src/index.js'
import { caller, openPool } from './pool.js'
import { until } from './until.js'
import { clientsOf, watchPool } from './watch.js'
import * as wire from './wire.js'
import type { AddressInfo, Socket } from 'node:net'
import type { Pool } from 'pg'
import type { Connection } from '../../src/connection/connection.js'
import type { Database, OpenOptions } from '../../src/index.js'
import type { ConnectionPool } from '../../src/pool/connection-pool.js'
import type { Test } from './test.js'

/** The server's end of one connection. */
export interface Peer {
  readonly pid: number
  readonly key: number
  /** The messages up to the next one that awaits an answer: those before one Sync, or a simple Query. */
  next (): Promise<string[]>
  /** All messages until the connection ends, except Terminate. */
  rest (): Promise<string[]>
  /** The received messages that {@link Peer.next} has not returned yet. */
  readonly unread: readonly string[]
  send (...messages: Buffer[]): void
  /** Sends two or more packets, each after the client has read the one before. */
  sendInPieces (pool: Pool, pieces: readonly Buffer[]): Promise<void>
  /** Resolves when a client of the pool has read everything sent, and its own messages in reply have left. */
  read (pool: Pool): Promise<void>
  /** Closes the connection. */
  close (): void
}

/** The messages after which a client waits. */
const lasts = /^(Query|Sync|CopyFail|CopyDone|CancelRequest)\b/

/** Questions of the package to each new connection, and once at start; tests do not see them. */
const greetings: Array<[question: RegExp, column: string, answer: string]> = [
  [/default_transaction_isolation/, 'isolation', 'read committed'],
  [/max_connections/, 'left', '1000']
]

class ScriptedPeer implements Peer {
  readonly pid: number
  readonly key: number
  readonly #socket: Socket
  readonly #reader = new wire.Reader()
  #received: string[] = []
  #isEnded = false
  /** The answer to a question of the package whose Sync has not come yet. */
  #greeted: Buffer[] | undefined

  constructor (socket: Socket, pid: number) {
    this.#socket = socket
    this.pid = pid
    this.key = pid * 7919
    socket.setNoDelay(true)
    socket.on('data', (piece) => { for (const message of this.#reader.read(piece)) this.#receive(message) })
    socket.on('error', () => {})
    socket.on('close', () => { this.#isEnded = true })
  }

  get unread (): readonly string[] { return this.#received }

  async next (): Promise<string[]> {
    await until(() => this.#isEnded || this.#received.some((message) => lasts.test(message)))
    return this.#received.splice(0, this.#received.findIndex((message) => lasts.test(message)) + 1 || Infinity)
  }

  async rest (): Promise<string[]> {
    await until(() => this.#isEnded)
    return this.#received.filter((message) => message !== 'Terminate')
  }

  send (...messages: Buffer[]): void {
    this.#socket.write(Buffer.concat(messages))
  }

  async sendInPieces (pool: Pool, pieces: readonly Buffer[]): Promise<void> {
    for (const piece of pieces) {
      this.send(piece)
      await this.read(pool)
    }
  }

  async read (pool: Pool): Promise<void> {
    const client = clientsOf(pool).find(({ processID }) => processID === this.pid)
    const { connection: { stream } } = client as unknown as { connection: { stream: Socket } }
    await until(() => stream.bytesRead === this.#socket.bytesWritten)
    // The client's messages take the same way back, which needs a few turns.
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
  }

  close (): void {
    this.#socket.destroy()
  }

  #receive (message: string): void {
    const greeting = greetings.find(([question]) => question.test(message))
    if (message === 'Startup') this.#greet()
    else if (this.#greeted !== undefined) this.#answerGreeting(message)
    else if (greeting === undefined) this.#received.push(message)
    else {
      const options = { status: 'I', columns: [greeting[1]], rows: [[greeting[2]]] } as const
      if (message.startsWith('Query')) this.send(...answer('SELECT 1', options))
      else this.#greeted = groupAnswer([], 'SELECT 1', options)
    }
  }

  /** A question with values ends with its Sync. */
  #answerGreeting (message: string): void {
    if (message !== 'Sync') return
    this.send(...this.#greeted ?? [])
    this.#greeted = undefined
  }

  #greet (): void {
    this.send(wire.authenticationOk, wire.parameterStatus('server_version', '18.0'), wire.backendKeyData(this.pid, this.key), wire.readyForQuery('I'))
  }
}

/** A running server. */
export interface ScriptedPostgres {
  readonly connectionString: string
  /** The next connection, in the order in which they were made. */
  accept (): Promise<Peer>
}

/** Starts a server that greets each connection and then leaves it to the test; it ends with the test. */
export async function startScriptedPostgres (t: Test): Promise<ScriptedPostgres> {
  const sockets: Socket[] = []
  const peers: Peer[] = []
  let pid = 4711
  const server = createServer((socket) => {
    sockets.push(socket)
    peers.push(new ScriptedPeer(socket, pid++))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return {
    connectionString: `postgresql://ada@127.0.0.1:${(server.address() as AddressInfo).port}/scripted?sslmode=disable`,
    async accept () {
      await until(() => peers.length > 0)
      return peers.shift() as Peer
    }
  }
}

/** One connection at a time, no long wait at the end for a script that breaks off, and by default neither statement names nor limits sent with BEGIN. */
const options = {
  pool: { size: 1, maxOverflow: 0 },
  drainTimeoutSeconds: 1,
  preparedStatements: false,
  statementTimeoutSeconds: 0,
  lockTimeoutSeconds: 0,
  idleInTransactionTimeoutSeconds: 0
}

/** A pool over a scripted server. */
export async function openScriptedPool (t: Test): Promise<{ pool: ConnectionPool, postgres: ScriptedPostgres }> {
  const postgres = await startScriptedPostgres(t)
  return { pool: await openPool(t, { ...options, connectionString: postgres.connectionString }), postgres }
}

/** A connection to a scripted server, and the server's end of it. */
export interface ScriptedConnection {
  readonly pool: ConnectionPool
  readonly postgres: ScriptedPostgres
  readonly connection: Connection
  readonly peer: Peer
}

/** A connection that is marked as inside a transaction; its BEGIN has not been sent. */
export async function connectScripted (t: Test): Promise<ScriptedConnection> {
  const { pool, postgres } = await openScriptedPool(t)
  const connection = await pool.connect(caller)
  connection.enterTransaction()
  t.teardown(async () => connection.destroy())
  return { pool, postgres, connection, peer: await postgres.accept() }
}

/** A database over a scripted server, and the server's end of its first connection. */
export interface Scripted {
  readonly database: Database
  readonly postgres: ScriptedPostgres
  readonly peer: Peer
}

/** Opens a database over a scripted server, which has accepted its first connection. */
export async function openScripted (t: Test, more: OpenOptions = {}): Promise<Scripted> {
  const postgres = await startScriptedPostgres(t)
  const database = await openDatabase({ ...options, ...more, connectionString: postgres.connectionString })
  t.teardown(() => database.close())
  watchPool(t, database.pool, { url: false })
  return { database, postgres, peer: await postgres.accept() }
}

/** The messages before one Sync: a prelude of statements, and one statement with values. */
export function group (prelude: readonly string[], text: string, ...values: string[]): string[] {
  return [
    ...prelude.flatMap((text) => [`Parse ${text}`, 'Bind', 'Execute']),
    `Parse ${text}`.trimEnd(), ['Bind', values.join(', ')].join(' ').trimEnd(), 'Describe P', 'Execute', 'Sync'
  ]
}

/** The rest of an answer. */
export interface AnswerOptions {
  readonly status?: wire.Status
  readonly columns?: readonly string[]
  readonly rows?: ReadonlyArray<ReadonlyArray<string | null>>
}

/** The answer to a simple Query. */
export function answer (tag: string, { status = 'T', columns = [], rows = [] }: AnswerOptions = {}): Buffer[] {
  const described = columns.length === 0 ? [] : [wire.rowDescription(...columns)]
  return [...described, ...rows.map((row) => wire.dataRow(...row)), wire.commandComplete(tag), wire.readyForQuery(status)]
}

/** The answer to a {@link group}. */
export function groupAnswer (prelude: readonly string[], tag: string, { columns = [], ...rest }: AnswerOptions = {}): Buffer[] {
  return [
    ...prelude.flatMap((tag) => [wire.parseComplete, wire.bindComplete, wire.commandComplete(tag)]),
    wire.parseComplete, wire.bindComplete, ...columns.length === 0 ? [wire.noData] : [], ...answer(tag, { columns, ...rest })
  ]
}
