/**
 * The one file that touches pg's internals: the query object that it lets a program bring along, the socket behind a client,
 * and what its type declarations leave out.
 */
import pg from 'pg'
import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import type { ClientBase, QueryResult } from 'pg'

/** pg's wire connection, as far as it is used here. */
interface WireConnection extends EventEmitter {
  readonly stream: Socket
}

interface ReadyForQuery {
  readonly status: TransactionStatus
}

/** PostgreSQL's own letters: idle, in a transaction, in a failed transaction. */
export type TransactionStatus = 'I' | 'T' | 'E'

/** A column of an answer. */
export interface Field {
  readonly name: string
  readonly dataTypeID: number
}

/** Reads an answer, message by message, in PostgreSQL's order. */
export interface ResponseReader {
  /** What was sent, for programs that watch pg. */
  readonly text: string
  /** What PostgreSQL did at last, for them. */
  readonly done: Pick<QueryResult, 'command' | 'rowCount'>
  /** The columns of the rows that follow. */
  described (fields: readonly Field[]): void
  /** Each column's text, or null. */
  row (fields: ReadonlyArray<string | null>): void
  /** A statement was carried out: `INSERT 0 1`; without a tag, an empty one. */
  completed (tag: string | undefined): void
  /** PostgreSQL or the network failed; the first time counts. */
  failed (error: Error): void
  /** PostgreSQL has answered everything, and is ready for more. */
  ready (): void
}

/** Called at the end of a query, as pg calls it. */
type QueryCallback = (error: Error | null, result: QueryResult | undefined) => void

/** The callback of a query that nobody watches. */
const nobody: QueryCallback = () => {}

/**
 * Messages that were written already, sent by an ordinary client of pg as a query of its own: pg takes any object that has
 * `submit` and the handlers below.
 *
 * Programs that watch pg (OpenTelemetry's instrumentation, dd-trace) read `text`, `name` and `values`, and put a function of
 * theirs in place of `callback`, which must be called once, at the end. A query with a `name` is one whose text they leave as it is.
 */
class GroupQuery {
  /** Empty, so that pg keeps no book of what was parsed. */
  readonly name = ''
  readonly values = undefined
  callback = nobody
  readonly #bytes: Buffer
  readonly #reader: ResponseReader

  constructor (bytes: Buffer, reader: ResponseReader) {
    this.#bytes = bytes
    this.#reader = reader
  }

  /** The statements, one behind the other. */
  get text (): string { return this.#reader.text }

  submit ({ stream }: WireConnection): null {
    if (stream.writable) stream.write(this.#bytes)
    return null
  }

  handleRowDescription ({ fields }: { fields: readonly Field[] }): void { this.#reader.described(fields) }

  handleDataRow ({ fields }: { fields: ReadonlyArray<string | null> }): void { this.#reader.row(fields) }

  handleCommandComplete ({ text }: { text: string }): void { this.#reader.completed(text) }

  handleEmptyQuery (): void { this.#reader.completed(undefined) }

  handleError (error: Error): void {
    this.#end(error)
    this.#reader.failed(error)
  }

  handleReadyForQuery (): void {
    this.#end(null)
    this.#reader.ready()
  }

  /** Tells whoever watches: before the reader may send the next statement, and at most once. */
  #end (error: Error | null): void {
    const { callback } = this
    this.callback = nobody
    if (callback !== nobody) callback.call(this, error, error === null ? resultOf(this.#reader) : undefined)
  }
}

// In pipeline mode pg refuses whatever is no Query; and what a Query does about COPY is right here, too.
Object.setPrototypeOf(GroupQuery.prototype, pg.Query.prototype)

/** What pg would tell of a group, without its rows: the reader has them, in another form. */
function resultOf ({ done: { command, rowCount } }: ResponseReader): QueryResult {
  return { command, rowCount, oid: 0, rows: [], fields: [] }
}

/** Has a client send messages, of which PostgreSQL answers the last with ReadyForQuery, and their answer read. */
export function sendGroup (client: ClientBase, bytes: Buffer, reader: ResponseReader): void {
  client.query(new GroupQuery(bytes, reader) as never)
}

/** Whether a client is one whose insides are known; not so one of another copy or version of pg, or of a class of the user's own. */
export function isOrdinary (client: ClientBase): boolean {
  return client instanceof pg.Client && client.query === pg.Client.prototype.query
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

/** What PostgreSQL confirms on the way to an answer, for whoever keeps book of the statements that it knows by their names. */
export interface Confirmations {
  /** A statement was parsed, or closed. */
  confirmed (): void
  /** A statement has its values. */
  bound (): void
}

/** Calls back from now on for all that is confirmed on a connection, whoever has sent it. */
export function followConfirmations (client: ClientBase, { confirmed, bound }: Confirmations): void {
  const connection = wire(client)
  connection.on('parseComplete', confirmed)
  connection.on('closeComplete', confirmed)
  connection.on('bindComplete', bound)
}

/** Calls back from now on for each setting that PostgreSQL reports as changed. https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-ASYNC */
export function followReports (client: ClientBase, reported: (name: string, value: string) => void): void {
  wire(client).on('parameterStatus', ({ parameterName, parameterValue }: { parameterName: string, parameterValue: string }) => reported(parameterName, parameterValue))
}

/** The process that the server gave itself out as; of a pooler it is none. */
export function processOf (client: ClientBase): number {
  return (client as unknown as ConnectedClient).processID
}

/** Ends a connection now, without the farewell that a dead network would never carry. */
export function destroySocket (client: ClientBase): void {
  wire(client).stream.destroy()
}

/** How many bytes have come over a connection so far. */
export function bytesReadBy (client: ClientBase): number {
  return wire(client).stream.bytesRead
}

/** Whether a client has something to finish: a statement that runs, or a transaction. One that is kept for LISTEN has not. */
export function isAtWork (client: ClientBase): boolean {
  // `readyForQuery` is public in pg and missing from its type declarations.
  return client.getTransactionStatus() !== 'I' || (client as unknown as { readonly readyForQuery: boolean }).readyForQuery === false
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
