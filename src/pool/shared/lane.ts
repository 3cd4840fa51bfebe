/**
 * A connection that many reads use at the same time: each is sent at once, with a Sync of its own, and the responses come in order.
 *
 * A lane is a connection of the pool like any other, in use from its first read to the last response or a moment longer, so counts, limits, checks and
 * lifetimes hold for it as well. It takes no new reads after a while, so that it comes back to the pool under a load that never ends.
 */
import { FrontendMessages } from '../../connection/exchange/frontend-messages.js'
import { outcomeOf } from '../../connection/outcome.js'
import { isConnectionLost } from '../../errors/to-database-error.js'
import { sqlStates } from '../../errors/sqlstate-codes.js'
import { ForeignStatementError, Pipeline } from '../../pg/pipeline.js'
import { ignore } from '../../runtime/promises.js'
import { noLead } from '../../statement/leading-statement.js'
import { patienceMillis } from './admission.js'
import { SharedRead } from './shared-read.js'
import type { PoolClient } from 'pg'
import type { Batch, Task } from '../../connection/batch.js'
import type { Connection } from '../../connection/connection.js'
import type { ConnectionHome } from '../../connection/connection-home.js'
import type { PreparedStatement } from '../../connection/exchange/prepared-statements.js'
import type { Caller } from '../../statement/caller.js'
import type { Statement } from '../../statement/statement.js'
import type { AskForOwn, ReadRequest } from './plain-read.js'
import type { ReadOwner } from './shared-read.js'

/** The most reads of a lane without a response. */
const mostUnanswered = 128

/** So long after PostgreSQL began with a read another connection has to be answered, in milliseconds. */
const overtakenMillis = 1

/** How long a read may wait behind others, in milliseconds. */
const crowdedMillis = 40

/** The SQLSTATEs of a statement whose time is up: it is not repeated. */
const timedOut: ReadonlySet<unknown> = new Set([sqlStates.queryCanceled, sqlStates.lockNotAvailable])

/** The buffers of lanes that have ended. There are as many as there were lanes at the same time. */
const spares: FrontendMessages[] = []

const circumstances = { lost: false, preludeDone: 0, preludeValue: undefined, missedTransaction: false }

/** What a lane needs of its pool. */
export interface LaneParts {
  /** The caller in whose name the connection is held. */
  readonly caller: Caller
  readonly home: Pick<ConnectionHome<Connection>, 'pooler' | 'observe'>
  /** Asks for a connection of its own for a read that leaves the lane. */
  readonly askAgain: AskForOwn
  /** Another program sends statements of its own over pg's clients. */
  readonly foreign: () => void
  /** Whether it keeps its connection for a moment without a read, because the next one would have to wait for it. */
  readonly stays: () => boolean
  /** A read was answered without a failure. */
  readonly quick: (statement: Statement) => void
  /** The last response has come, or the connection was lost: it is released next. */
  readonly ended: () => void
}

export class Lane implements Batch, ReadOwner {
  readonly prelude = noLead
  readonly added = 0
  readonly isRepeated = false
  readonly connection: Connection
  readonly openedAt = performance.now()
  /** Whether it takes new reads, unless it is paused. */
  isOpen = true
  readonly #parts: LaneParts
  readonly #pipeline: Pipeline<SharedRead>
  readonly #messages = spares.pop() ?? new FrontendMessages()
  /** Whether a value is being written: its `toPostgres()` may begin another read. */
  #isWriting = false
  /** Whether a statement is being parsed. Its confirmation is awaited before the next one is. */
  #isParsing = false
  #flush: NodeJS.Immediate | undefined
  #headSince = 0
  #isPaused = false
  #isBlocked = false
  #isJudged = false
  #hasEnded = false

  constructor (connection: Connection, parts: LaneParts) {
    this.connection = connection
    this.#parts = parts
    this.#pipeline = new Pipeline<SharedRead>(this.client, (error) => this.#isLost(error))
    connection.pooled.prepared.begin(this.client)
    connection.occupy(this, parts.caller)
  }

  get client (): PoolClient { return this.connection.pooled.client }

  /** How many reads have no response yet. */
  get size (): number { return this.#pipeline.size }

  /** Whether it can take one more read now. */
  get hasRoom (): boolean { return this.isOpen && !this.#isPaused && this.size < mostUnanswered }

  /** The read that PostgreSQL works on; undefined if there is none. */
  get head (): SharedRead | undefined { return this.#pipeline.head }

  /** The statement that PostgreSQL works on, for those who watch the pool. */
  get tasks (): Task[] {
    return this.#pipeline.readers.slice(0, 1).map(({ response: { statement } }) => ({ statement, done: ignore }))
  }

  /** Whether PostgreSQL should have answered the oldest read. */
  isLate (now: number): boolean { return !this.#isBlocked && this.#waits(now, patienceMillis.late) }

  /** Whether other connections were answered at a time while PostgreSQL worked on the oldest read: then it is not the server that is slow. */
  isOvertaken (answeredAt: number): boolean { return answeredAt > this.#headSince + overtakenMillis }

  /** Whether the others must not wait any longer: for the oldest read, or for all that are in front of them. */
  isSlow (now: number): boolean {
    const isCrowded = this.head !== undefined && now - this.head.sentAt > crowdedMillis && !this.#isBlocked
    return !this.#isJudged && (isCrowded || this.#waits(now, patienceMillis.slow))
  }

  #waits (now: number, millis: number): boolean {
    return this.head !== undefined && now - this.#headSince > millis
  }

  /** Takes no new reads before the next response. */
  pause (): void { this.#isPaused = true }

  /** Sends a read; undefined if it needs a connection of its own. */
  send (request: ReadRequest): SharedRead | undefined {
    const { statement } = request
    const known = this.connection.pooled.prepared.find(String(statement.name))
    const isParsed = known === undefined || known.isDoubtful
    if (this.#isWriting || (isParsed && this.#isParsing)) return undefined
    const prepared = this.#written(statement, known, isParsed)
    if (prepared === undefined) return undefined
    const read = new SharedRead(this, request, { prepared, sentAt: performance.now(), isParsed })
    if (this.size === 0) this.#headSince = read.sentAt
    this.#pipeline.add(read)
    // If the connection was found lost, the buffer may be another lane's already.
    if (!this.#hasEnded) this.#flush ??= setImmediate(this.#send)
    return read
  }

  /** Its oldest read has counted as slow. */
  judged (): void { this.#isJudged = true }

  /** Takes no new reads. What waits behind the oldest read is repeated over the pool; the late responses are dropped. */
  block (): void {
    this.isOpen = false
    this.#isBlocked = true
    for (const read of this.#pipeline.readers.slice(1)) read.repeat(this.#parts.askAgain)
  }

  /** The response to the oldest read is complete. */
  answered (read: SharedRead): void {
    const { error, response, sentAt, response: { statement } } = read
    const now = performance.now()
    this.#headSince = now
    this.#isPaused = false
    this.#settle(read)
    if (error !== undefined && !timedOut.has(Object(error).code)) read.repeat(this.#parts.askAgain)
    else {
      const request = read.take()
      if (error === undefined) this.#parts.quick(statement)
      if (request !== undefined) {
        this.#parts.home.observe(request.caller, statement, { prelude: noLead, durationMillis: now - sentAt, repeats: false, client: this.client })
        request.answered(outcomeOf(response, error, circumstances), this.connection)
      }
    }
    if (this.size > 0) return
    // The next reads come with the next turn of the event loop.
    if (this.isOpen && this.#parts.stays()) setImmediate(() => setImmediate(this.#rest))
    else this.#finish()
  }

  /** The connection was lost before the response. */
  lost (read: SharedRead): void {
    this.isOpen = false
    this.#settle(read)
    read.repeat(this.#parts.askAgain)
    this.#finish()
  }

  /** Leaves the connection to the caller of the read that could not be sent. */
  abandon (caller: Caller): void { this.#end(caller) }

  /** Ends unless a read has come. */
  readonly #rest = (): void => { if (this.size === 0) this.#finish() }

  /** Gives the connection back to the pool, after the last response. */
  #finish (): void {
    if (this.#hasEnded) return
    this.#end(this.#parts.caller)
    this.connection.release()
  }

  #end (caller: Caller): void {
    this.#hasEnded = true
    this.isOpen = false
    clearImmediate(this.#flush)
    this.#messages.cut(0)
    spares.push(this.#messages)
    this.#parts.ended()
    this.connection.occupy(undefined, caller)
  }

  readonly #send = (): void => {
    this.#flush = undefined
    this.#pipeline.write(this.#messages.take())
  }

  #isLost (error: Error): boolean {
    const { pooled } = this.connection
    const isForeign = error instanceof ForeignStatementError
    if (isForeign) this.#parts.foreign()
    if (isForeign || isConnectionLost(error)) pooled.lost ??= error
    return pooled.lost !== undefined
  }

  /** Notes what a response has shown of its prepared statement. */
  #settle ({ error, isParsed, prepared }: SharedRead): void {
    const book = this.connection.pooled.prepared
    if (isParsed) {
      this.#isParsing = false
      book.end()
      book.cut(0)
    }
    if (error === undefined) return
    // It is parsed and described anew the next time: the name, or its columns, may be the reason.
    prepared.isDoubtful = true
    if (prepared.readRow === undefined) prepared.isDescribed = false
  }

  /** Writes the messages of a statement; undefined if a value cannot be written. */
  #written ({ text, name = '', values }: Statement, known: PreparedStatement | undefined, isParsed: boolean): PreparedStatement | undefined {
    const messages = this.#messages
    const book = this.connection.pooled.prepared
    const { length } = messages
    this.#isWriting = true
    try {
      if (isParsed) {
        const closed = known ?? book.surplus(this.#parts.home.pooler.mostNames)
        if (closed !== undefined) {
          messages.close(closed.name)
          book.close(closed)
        }
        messages.parse(name, text)
      }
      const prepared = isParsed ? book.parse(name) : known as PreparedStatement
      messages.bind(name, values)
      if (!prepared.isDescribed) messages.describe()
      messages.execute()
      messages.sync()
      prepared.isDescribed = true
      book.use(prepared)
      if (isParsed) book.send()
      this.#isParsing ||= isParsed
      this.#isWriting = false
      return prepared
    } catch {
      this.#isWriting = false
      messages.cut(length)
      if (isParsed) book.cut(0)
      return undefined
    }
  }
}
