/**
 * Reads the rows of one statement, a batch at a time, by a PostgreSQL cursor in a read-only transaction of its own.
 *
 *     opened ──first batch──> BEGIN, DECLARE and FETCH sent together ──> FETCH … ──a batch is not full──> closed
 *        └────── close(), an error, or the end of its session ──────> the running statement is cancelled ──> closed
 *
 * *closed*: ROLLBACK has its response and the connection was released, once; it was destroyed if its state is uncertain.
 *
 * The context of the session leads its transaction, too. Settings that the session's own SQL has changed do not apply on the
 * stream's connection: such a session refuses streams, which would read other rows.
 *
 * A stream never waits for a connection while its session holds one: a pool full of such sessions would deadlock.
 * Between two batches the transaction is idle, and `idle_in_transaction_session_timeout` applies: a slower reader loses the stream.
 */
import { statementChannel } from '../channels/channels.js'
import { isWatched } from '../channels/publish.js'
import { StreamTrace } from '../channels/statement-trace.js'
import { cancelUntilIdle } from '../connection/cancel-until-idle.js'
import { failureOn } from '../connection/outcome.js'
import { PoolTimeoutError } from '../errors/errors.js'
import { noLead } from '../statement/leading-statement.js'
import { beforeTransaction } from './transaction/prelude.js'
import { endTransaction } from './transaction/transaction-control.js'
import type { ContextLead } from './transaction/context-lead.js'
import type { Outcome } from '../connection/outcome.js'
import type { Cancel, LentConnection } from '../pool/connection-source.js'
import type { Caller } from '../statement/caller.js'
import type { LeadingStatement } from '../statement/leading-statement.js'
import type { RowSource, Statement } from '../statement/statement.js'
import type { SessionContext } from './transaction/session-context.js'

/** The name of the cursor; a connection has one at a time. */
const name = 'data_access_stream'

/** The longest wait for a cancel or for ROLLBACK, in milliseconds; then the connection is destroyed. */
const settleMillis = 5000

/** How the transaction of a stream begins. */
const reading = { begin: 'begin read only', resolveCommits: false }

const noConnection = 'No connection is free for a stream, and a session that holds one does not wait for another: read the stream before the first write, or after the commit'

/** How a stream is read. */
export interface RowStreamOptions {
  readonly batchSize: number
  readonly caller: Caller
  /** Whether to wait for a connection if the pool has none free. @defaultValue always */
  readonly mayWait?: () => boolean
  /** The reason why the stream must not be read; called on opening, and before the first batch. @defaultValue never */
  readonly obstacle?: () => Error | undefined
  /** The context of the session. */
  readonly lead: ContextLead | undefined
  /** Called at the end, once. */
  readonly ended: () => void
}

export class RowStream implements RowSource<never> {
  readonly #context: SessionContext
  readonly #statement: Statement
  /** The SQL that the first answer is about. */
  #declaration = ''
  readonly #options: RowStreamOptions
  #cancel: Cancel | undefined
  #connection: LentConnection | undefined
  #closing: Promise<void> | undefined
  #reason: Error | undefined
  #failure: Error | undefined
  /** Undefined unless somebody watches. */
  #trace: StreamTrace | undefined

  constructor (context: SessionContext, statement: Statement, options: RowStreamOptions) {
    this.#context = context
    this.#statement = statement
    this.#options = options
  }

  async fetch (): Promise<never[]> {
    if (this.#reason !== undefined) throw this.#reason
    if (this.#closing !== undefined) return []
    try {
      const rows = await this.#next()
      this.#trace?.add(rows.length)
      if (rows.length < this.#options.batchSize) await this.close()
      return rows
    } catch (error) {
      this.#failure = error as Error
      await this.close()
      throw this.#reason ?? error
    }
  }

  close (reason?: Error): Promise<void> {
    if (this.#closing === undefined) {
      this.#reason = reason
      this.#closing = this.#close()
    }
    return this.#closing
  }

  async #next (): Promise<never[]> {
    const { batchSize } = this.#options
    const { text, values, name: statementName, reader, rowMode, context } = this.#statement
    if (this.#connection === undefined) this.#traceStart()
    const fetch: Statement = { kind: 'read', text: `fetch forward ${batchSize} from ${name}`, values: [], reader, rowMode, context, message: this.#trace?.message }
    if (this.#connection !== undefined) return this.#rowsOf(await run(this.#connection, [fetch]))
    const preparedName = statementName && `${statementName}_stream`
    const declare: Statement = { kind: 'read', text: `declare ${name} no scroll cursor for ${text}`, values, name: preparedName, context }
    this.#declaration = declare.text
    const begun = this.#begin([declare, fetch])
    this.#context.watch?.(this.#statement, begun)
    return this.#rowsOf(await begun)
  }

  #traceStart (): void {
    const { place } = this.#context
    if (isWatched(statementChannel)) this.#trace = new StreamTrace(this.#statement, { place, caller: this.#options.caller, transaction: undefined })
  }

  /** Takes a connection, and sends the first statements synchronously. */
  #begin (statements: readonly Statement[]): Promise<Outcome> {
    const { caller, mayWait, obstacle, lead } = this.#options
    const { pool } = this.#context
    const reason = obstacle?.() ?? caller.refuses?.(this.#statement) ?? lead?.prepare()
    if (reason !== undefined) throw reason
    const isPatient = mayWait?.() !== false
    if (!isPatient && !pool.hasRoom) {
      throw new PoolTimeoutError(noConnection)
    }
    return new Promise((resolve, reject) => {
      this.#cancel = pool.acquire({
        caller,
        mayWait: isPatient,
        lend: (connection) => {
          this.#connection = connection
          connection.enterTransaction()
          run(connection, statements.map((statement) => lead === undefined ? statement : lead.named(statement)), beforeTransaction(connection, reading, lead)).then(resolve)
        },
        refuse: reject
      })
    })
  }

  #rowsOf ({ error, result }: Outcome): never[] {
    if (error === undefined) return (result as { rows: never[] }).rows
    const [{ context }, text] = [this.#statement, this.#declaration]
    throw failureOn(this.#connection, error, { context, text, readOnly: true, ...this.#context.words })
  }

  async #close (): Promise<void> {
    this.#options.ended()
    if (this.#reason !== undefined) this.#cancel?.(this.#reason)
    if (this.#connection !== undefined) await this.#release(this.#connection)
    this.#trace?.end(this.#reason ?? this.#failure)
  }

  async #release (connection: LentConnection): Promise<void> {
    await cancelUntilIdle(connection, settleMillis)
    if (connection.refusal === undefined) await endTransaction(connection, 'rollback', { timeoutMillis: settleMillis })
    connection.release()
  }
}

/** Runs statements in one round trip; resolves with the outcome of the last, or of the first that failed. */
function run (connection: LentConnection, statements: readonly Statement[], prelude: readonly LeadingStatement[] = noLead): Promise<Outcome> {
  return new Promise((resolve) => {
    const outcomes: Outcome[] = []
    const done = (outcome: Outcome): void => {
      outcomes.push(outcome)
      if (outcomes.length === statements.length) resolve(outcomes.find(({ error }) => error !== undefined) ?? outcome)
    }
    connection.send(statements.map((statement) => ({ statement, done })), prelude)
  })
}

/** The open streams of one caller. */
export class Streams {
  readonly #context: SessionContext
  readonly #caller: Caller
  readonly #lead: ContextLead | undefined
  readonly #open = new Set<RowStream>()

  constructor (context: SessionContext, caller: Caller, lead: ContextLead | undefined) {
    this.#context = context
    this.#caller = caller
    this.#lead = lead
  }

  /** Opens a stream, which holds no connection before its first batch. @throws the `obstacle`, if any */
  open<Row> (statement: Statement, options: Pick<RowStreamOptions, 'batchSize' | 'mayWait' | 'obstacle'>): RowSource<Row> {
    const obstacle = options.obstacle?.()
    if (obstacle !== undefined) throw obstacle
    const ended = (): void => { this.#open.delete(stream) }
    const stream = new RowStream(this.#context, statement, { ...options, caller: this.#caller, lead: this.#lead, ended })
    this.#open.add(stream)
    return stream as RowSource<never> // the statement's reader makes its rows
  }

  /** Ends all streams; their readers receive the reason. Never rejects. */
  async end (reason: () => Error): Promise<void> {
    await Promise.all(Array.from(this.#open, (stream) => stream.close(reason())))
  }
}
