/**
 * The one file that touches pg's internals.
 *
 * A message group is several statements under one Sync: they travel together, and after the first failure PostgreSQL skips
 * all the rest until the Sync. That is how BEGIN and the first statement share one round trip without the danger of pg's own
 * pipeline mode, where each query has a Sync of its own and a failed BEGIN lets the statement behind it commit by itself.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-PIPELINING
 */
import pg from 'pg'
import type { ClientBase, QueryResult } from 'pg'
import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import type { Statement } from '../session/statement.js'

/** The part of pg's wire connection that a group writes to. */
interface WireConnection extends EventEmitter {
  readonly stream: Socket
  parse (message: { text: string }): void
  bind (message: object): void
  execute (message: object): void
}

interface ReadyForQuery {
  readonly status: TransactionStatus
}

interface DataRow {
  /** Each column's text, or null. */
  readonly fields: ReadonlyArray<string | null>
}

interface CommandComplete {
  readonly text: string
}

/** PostgreSQL's own letters: idle, in a transaction, in a failed transaction. */
export type TransactionStatus = 'I' | 'T' | 'E'

/** pg's Query as it is, beyond what its type declarations show. */
interface QueryInternals {
  callback: GroupCallback
  requiresPreparation (): boolean
  prepare (connection: WireConnection): void
  handleRowDescription (message: object): void
  handleDataRow (message: DataRow): void
  handleCommandComplete (message: CommandComplete, connection: WireConnection): void
  handleReadyForQuery (connection: WireConnection): void
  handleError (error: Error, connection: WireConnection): void
}

type GroupCallback = (error: Error | null, result?: QueryResult | QueryResult[]) => void

// pg declares neither the handlers that make a query nor how it writes values as text: this is the seam where its types end.
const Query = pg.Query as unknown as new (config: object, callback: GroupCallback) => QueryInternals
const { prepareValue } = (pg as unknown as { utils: { prepareValue (value: unknown): unknown } }).utils

/** Statements without values that lead (BEGIN, settings, savepoints), and one that ends the group. */
export class MessageGroup extends Query {
  /** What PostgreSQL says it did for the statement, up to where it failed: `INSERT 0 1`, or several of its words for several in one text. */
  readonly tags: string[] = []
  readonly #lead: readonly string[]
  #completed = 0
  #answered = false
  #leadAnswer: string | undefined

  constructor (lead: readonly string[], statement: Statement, callback: GroupCallback) {
    super({
      text: statement.text,
      values: statement.values.map((value) => prepareValue(value)),
      ...(statement.rowMode && { rowMode: statement.rowMode }),
      ...(statement.types && { types: statement.types })
    }, callback)
    this.#lead = lead
  }

  /** How many of the leading statements PostgreSQL has carried out. */
  get completed (): number { return this.#completed }

  /** The first column of what the last leading query answered, as text. */
  get leadAnswer (): string | undefined { return this.#leadAnswer }

  /** Whether PostgreSQL has carried out everything: an error that comes after that is one in reading the rows. */
  get answered (): boolean { return this.#answered }

  override requiresPreparation (): boolean {
    return this.#lead.length > 0 || super.requiresPreparation()
  }

  override prepare (connection: WireConnection): void {
    for (const text of this.#lead) {
      connection.parse({ text })
      connection.bind({})
      connection.execute({})
    }
    super.prepare(connection)
  }

  override handleDataRow (message: DataRow): void {
    if (this.#completed === this.#lead.length) super.handleDataRow(message)
    else this.#leadAnswer = String(message.fields[0])
  }

  override handleCommandComplete (message: CommandComplete, connection: WireConnection): void {
    if (this.#completed < this.#lead.length) {
      this.#completed++
      return
    }
    this.tags.push(message.text)
    super.handleCommandComplete(message, connection)
  }

  override handleReadyForQuery (connection: WireConnection): void {
    this.#answered = true
    super.handleReadyForQuery(connection)
  }

  /** pg would tell of a row that could not be read, instead of what PostgreSQL or the network said after it. */
  override handleError (error: Error): void {
    this.callback(error)
  }
}

function wire (client: ClientBase): WireConnection {
  // `client.connection` is public in pg and missing from its type declarations.
  return (client as unknown as { connection: WireConnection }).connection
}

/**
 * Calls back when PostgreSQL is ready for the next statement, with its word on the transaction; with `undefined` when the
 * connection ended first. pg reports an error before that word has come, and its own `getTransactionStatus()` is stale till then.
 */
export function onceReady (client: ClientBase, callback: (status: TransactionStatus | undefined) => void): void {
  const connection = wire(client)
  const ready = (message: ReadyForQuery): void => { connection.off('end', ended); callback(message.status) }
  const ended = (): void => { connection.off('readyForQuery', ready); callback(undefined) }
  connection.once('readyForQuery', ready)
  connection.once('end', ended)
}

/** Ends a connection now, without the farewell that a dead network would never carry. */
export function destroySocket (client: ClientBase): void {
  wire(client).stream.destroy()
}

/** How many bytes have come over a connection so far. */
export function bytesReadBy (client: ClientBase): number {
  return wire(client).stream.bytesRead
}

/** Whether an open connection keeps the process from ending when it has nothing else to do. */
export function holdProcess (client: ClientBase, holds: boolean): void {
  // `ref` and `unref` are public in pg and missing from its type declarations.
  const handle = client as unknown as { ref (): void, unref (): void }
  if (holds) handle.ref()
  else handle.unref()
}

/** pg's wire connection, as far as a cancel request uses it. */
interface CancelConnection extends WireConnection {
  connect (port: number, host: string): void
  requestSsl (): void
  cancel (processId: number, secretKey: number): void
}

/** What pg's client shows of the connection that it made, missing from its type declarations. */
interface ConnectedClient {
  readonly host: string
  readonly port: number
  readonly ssl: object | boolean
  readonly sslNegotiation: 'postgres' | 'direct'
  readonly processID: number
  readonly secretKey: number
}

/**
 * Asks PostgreSQL over a second connection to cancel what the client's backend is doing, and resolves when that connection
 * has ended: only then has the cancel been delivered, and cannot hit a later statement any more.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS
 */
export function requestCancel (client: ClientBase, timeoutMillis: number): Promise<void> {
  const { host, port, ssl, sslNegotiation, processID, secretKey } = client as unknown as ConnectedClient
  const connection = new pg.Connection({ ssl, sslNegotiation } as object) as unknown as CancelConnection
  return new Promise((resolve) => {
    const timer = setTimeout(() => connection.stream.destroy(), timeoutMillis)
    connection.on('error', () => connection.stream.destroy())
    connection.once('end', () => { clearTimeout(timer); resolve() })
    const cancel = (): void => connection.cancel(processID, secretKey)
    if (!ssl) connection.once('connect', cancel)
    else if (sslNegotiation === 'postgres') connection.once('connect', () => connection.requestSsl())
    connection.once('sslconnect', cancel)
    connection.connect(host.startsWith('/') ? `${host}/.s.PGSQL.${port}` as unknown as number : port, host)
  })
}
