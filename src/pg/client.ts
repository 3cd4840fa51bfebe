/**
 * pg's client: custom query objects, the socket behind a client, and everything that pg's type declarations leave out.
 */
import pg from 'pg'
import { AddressSocket, onlyTo } from './address-socket.js'
import { DirectMessages } from './direct-messages.js'
import { submit } from './unwatched.js'
import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import type { ClientBase, QueryResult } from 'pg'
import type { Confirmations } from './direct-messages.js'

/** The part of pg's wire connection that is used here. */
interface WireConnection extends EventEmitter {
  readonly stream: Socket
}

interface ReadyForQuery {
  readonly status: TransactionStatus
}

/** PostgreSQL's own letters: idle, in a transaction, in a failed transaction. */
export type TransactionStatus = 'I' | 'T' | 'E'

/** A column of a result. */
export interface Field {
  readonly name: string
  readonly dataTypeID: number
}

/** Reads a response, message by message, in PostgreSQL's order. */
export interface ResponseReader {
  /** The SQL, for programs that watch pg. */
  readonly text: string
  /** The last command and its row count, for the same programs. */
  readonly done: Pick<QueryResult, 'command' | 'rowCount'>
  /** The columns of the rows that follow. */
  described (fields: readonly Field[]): void
  /** Each column's text, or null. */
  row (fields: ReadonlyArray<string | null>): void
  /** A statement has run; its command tag, for example `INSERT 0 1`, or undefined for an empty statement. */
  completed (tag: string | undefined): void
  /** PostgreSQL or the network failed; only the first call counts. */
  failed (error: Error): void
  /** PostgreSQL has finished everything, and is ready for the next query. */
  ready (): void
}

/** Called at the end of a query, as pg calls it. */
type QueryCallback = (error: Error | null, result: QueryResult | undefined) => void

/** The callback of a query that no program watches. */
const nobody: QueryCallback = () => {}

/**
 * Written messages that an ordinary pg client sends as one query: pg accepts any object with `submit` and the handlers below.
 *
 * Programs that watch pg (OpenTelemetry's instrumentation, dd-trace) read `text`, `name` and `values`, and replace `callback`
 * with their own function, which must be called once, at the end. They do not change the text of a query that has a `name`.
 */
export class GroupQuery {
  /** Empty, so that pg does not record it as a prepared statement. */
  readonly name = ''
  readonly values = undefined
  callback = nobody
  readonly #bytes: Buffer | undefined
  readonly #reader: ResponseReader

  /** Without bytes they are written by {@link write}. */
  constructor (bytes: Buffer | undefined, reader: ResponseReader) {
    this.#bytes = bytes
    this.#reader = reader
  }

  /** The SQL of the statements. */
  get text (): string { return this.#reader.text }

  submit (connection: WireConnection): null {
    DirectMessages.of(connection)?.begin(this.#reader)
    const { stream } = connection
    if (this.#bytes !== undefined && stream.writable) stream.write(this.#bytes)
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

  /** Calls the callback: before the reader may send the next statement, and at most once. */
  #end (error: Error | null): void {
    const { callback } = this
    this.callback = nobody
    if (callback !== nobody) callback.call(this, error, error === null ? resultOf(this.#reader) : undefined)
  }
}

// In pipeline mode pg refuses anything but a Query; a Query's handling of COPY is also right here.
Object.setPrototypeOf(GroupQuery.prototype, pg.Query.prototype)

/** The result that pg would report, without rows: the reader has them. */
function resultOf ({ done: { command, rowCount } }: ResponseReader): QueryResult {
  return { command, rowCount, oid: 0, rows: [], fields: [] }
}

/** Sends messages over a client, and passes the response to the reader. PostgreSQL must answer the last message with ReadyForQuery. */
export function sendGroup (client: ClientBase, bytes: Buffer, reader: ResponseReader): void {
  submit(client, new GroupQuery(bytes, reader) as never)
}

/** Writes messages whose response a {@link GroupQuery} reads, or will read when those before it are answered. */
export function write (client: ClientBase, bytes: Buffer): void {
  const { stream } = wire(client)
  if (stream.writable) stream.write(bytes)
}

/** Whether the internals of a client are known: it is of this copy of pg, and its `query` was not replaced. */
export function isOrdinary (client: ClientBase): boolean {
  return client instanceof pg.Client && client.query === pg.Client.prototype.query
}

function wire (client: ClientBase): WireConnection {
  // `client.connection` is public in pg and missing from its type declarations.
  return (client as unknown as { connection: WireConnection }).connection
}

/**
 * Calls back with the transaction status when PostgreSQL is ready for the next query; with `undefined` if the connection ended
 * first. pg reports an error before the status has come, and its own `getTransactionStatus()` is stale until then.
 */
export function onceReady (client: ClientBase, callback: (status: TransactionStatus | undefined) => void): void {
  const connection = wire(client)
  const ready = (message: ReadyForQuery): void => { connection.off('end', ended); callback(message.status) }
  const ended = (): void => { connection.off('readyForQuery', ready); callback(undefined) }
  connection.once('readyForQuery', ready)
  connection.once('end', ended)
}

/** Calls back for every confirmation on a connection, of any query. */
export function followConfirmations (client: ClientBase, confirmations: Confirmations): void {
  const connection = wire(client)
  const { confirmed, bound } = confirmations
  DirectMessages.of(connection)?.tell(confirmations)
  connection.on('parseComplete', confirmed)
  connection.on('closeComplete', confirmed)
  connection.on('bindComplete', bound)
}

interface ParameterStatus {
  readonly parameterName: string
  readonly parameterValue: string
}

/** Calls back for each setting that PostgreSQL reports as changed. https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-ASYNC */
export function followReports (client: ClientBase, reported: (name: string, value: string) => void): void {
  wire(client).on('parameterStatus', ({ parameterName, parameterValue }: ParameterStatus) => reported(parameterName, parameterValue))
}

/** The process id that the server reported; a pooler's is not that of a backend. */
export function processOf (client: ClientBase): number {
  return (client as unknown as ConnectedClient).processID
}

/** Where a client is connected to, and its process there, as the server or a pooler reported it. */
export function addressOf (client: ClientBase): Readonly<Pick<ConnectedClient, 'database' | 'host' | 'port' | 'processID'>> {
  return client as unknown as ConnectedClient
}

/** The host and port that a client is connected to. */
export function placeOf (client: ClientBase): string {
  const { host, port } = client as unknown as ConnectedClient
  return `${host} ${port}`
}

/** Destroys a connection now, without a Terminate message, which a dead network would not deliver. */
export function destroySocket (client: ClientBase): void {
  wire(client).stream.destroy()
}

/** Reads nothing more from a connection that is about to be destroyed. */
export function stopReading (client: ClientBase): void {
  wire(client).stream.pause()
}

/** How many bytes a connection has received so far. */
export function bytesReadBy (client: ClientBase): number {
  return wire(client).stream.bytesRead
}

/** Whether a client runs a statement or a transaction; a client that is kept for LISTEN does not. */
export function isAtWork (client: ClientBase): boolean {
  // `readyForQuery` is public in pg and missing from its type declarations.
  return client.getTransactionStatus() !== 'I' || (client as unknown as { readonly readyForQuery: boolean }).readyForQuery === false
}

/** Sets whether an open connection keeps the process alive. */
export function holdProcess (client: ClientBase, holds: boolean): void {
  // `ref` and `unref` are public in pg and missing from its type declarations.
  const handle = client as unknown as { ref (): void, unref (): void }
  if (holds) handle.ref()
  else handle.unref()
}

/** The part of pg's wire connection that a cancel request uses. */
interface CancelConnection extends WireConnection {
  connect (port: number, host: string): void
  requestSsl (): void
  cancel (processId: number, secretKey: number): void
}

/** Properties of pg's client that its type declarations lack. */
interface ConnectedClient {
  readonly database: string
  readonly host: string
  readonly port: number
  readonly ssl: object | boolean
  readonly sslNegotiation: 'postgres' | 'direct'
  readonly processID: number
  readonly secretKey: number
}

/**
 * Sends a cancel request for a client's running statement over a second connection. Resolves when that connection has ended:
 * then the request was delivered, and can hit no later statement.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS
 */
export function requestCancel (client: ClientBase, timeoutMillis: number): Promise<void> {
  const { host, port, ssl, sslNegotiation, processID, secretKey } = client as unknown as ConnectedClient
  // A name may lead to another server by now, or have several addresses.
  const { remoteAddress } = wire(client).stream
  const stream = new AddressSocket(remoteAddress === undefined ? undefined : onlyTo(remoteAddress))
  const connection = new pg.Connection({ ssl, sslNegotiation, stream } as object) as unknown as CancelConnection
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
