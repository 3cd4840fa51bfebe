/**
 * Several statements under one Sync: they are sent together, and after the first failure PostgreSQL skips the rest until the
 * Sync. So BEGIN and the first statement share one round trip. In pg's own pipeline mode each query has a Sync of its own: after
 * a failed BEGIN the next statement would commit by itself.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-PIPELINING
 *
 * A text without values that is sent alone is a simple Query instead: it may hold several statements, or a COPY.
 */
import { Response } from './response.js'
import { FrontendMessages } from './frontend-messages.js'
import { onceReady, sendGroup } from '../../pg/client.js'
import type { ClientBase } from 'pg'
import type { Exchange } from './exchange.js'
import type { ResponseReader, Field } from '../../pg/client.js'
import type { PreparedStatement, PreparedStatements, Refusal } from './prepared-statements.js'
import type { LeadingStatement } from '../../statement/leading-statement.js'
import type { Statement } from '../../statement/statement.js'

/** How an exchange is written. */
export interface PipelineOptions {
  readonly prelude: readonly LeadingStatement[]
  /** The prepared statements of the connection; undefined: no names are used. */
  readonly prepared: PreparedStatements | undefined
  /** How many prepared statements the connection keeps. */
  readonly mostNames: number
  /** The names that are not used, because a pooler gives them an outdated statement; undefined: none. */
  readonly unnamed?: ReadonlySet<string> | undefined
  /** Whether there is one statement and no prelude. */
  readonly isAlone: boolean
}

/** The buffer that all exchanges share. If a value's `toPostgres()` starts another exchange meanwhile, that one gets a new buffer. */
let spare: FrontendMessages | undefined

export class PipelinedExchange implements Exchange, ResponseReader {
  readonly responses: Response[] = []
  preludeDone = 0
  preludeValue: string | undefined
  isAnswered = false
  isStale = false
  staleName: string | undefined
  readonly #client: ClientBase
  readonly #prepared: PreparedStatements | undefined
  readonly #mostNames: number
  readonly #unnamed: ReadonlySet<string> | undefined
  readonly #prelude: readonly LeadingStatement[]
  readonly #preludeStatements: ReadonlyArray<PreparedStatement | undefined>
  readonly #isAlone: boolean
  readonly #messages: FrontendMessages
  #isQuery = false
  #current = 0
  #finished: ((error: Error | undefined) => void) | undefined

  constructor (client: ClientBase, { prelude, prepared, mostNames, unnamed, isAlone }: PipelineOptions) {
    this.#client = client
    this.#prepared = prepared
    this.#mostNames = mostNames
    this.#unnamed = unnamed
    this.#isAlone = isAlone
    this.#messages = spare ?? new FrontendMessages()
    spare = undefined
    this.#messages.cut(0)
    prepared?.begin(client)
    this.#prelude = prelude
    this.#preludeStatements = prelude.map((statement) => this.#write(statement, false))
  }

  get isUnbound (): boolean { return !this.#isQuery && this.#prepared?.isUnbound === true }

  /** The SQL without the prelude. */
  get text (): string { return this.responses.map(({ statement: { text } }) => text).join('; ') }

  get done (): Pick<Response, 'command' | 'rowCount'> { return this.responses.at(-1) as Response }

  add (statement: Statement): void {
    const messages = this.#messages
    const { length } = messages
    const changes = this.#prepared?.length ?? 0
    try {
      this.#isQuery = this.#isAlone && statement.values.length === 0 && (this.#prepared === undefined || statement.name === undefined)
      if (this.#isQuery) messages.query(statement.text)
      this.responses.push(new Response(statement, this.#isQuery ? undefined : this.#write(statement, true)))
    } catch (error) {
      messages.cut(length)
      this.#prepared?.cut(changes)
      throw error
    }
  }

  send (finished: (error: Error | undefined) => void): void {
    this.#finished = finished
    if (!this.#isQuery) this.#messages.sync()
    const bytes = this.#messages.take()
    spare = this.#messages
    this.#prepared?.send()
    sendGroup(this.#client, bytes, this)
  }

  described (fields: readonly Field[]): void {
    this.responses[this.#current]?.describe(fields, this.#client)
  }

  row (fields: ReadonlyArray<string | null>): void {
    const leading = this.#prelude[this.preludeDone]
    if (leading === undefined) this.responses[this.#current]?.row(fields)
    else if (leading.asks === true) this.preludeValue = String(fields[0])
  }

  completed (tag: string | undefined): void {
    if (this.preludeDone < this.#preludeStatements.length) {
      this.preludeDone++
      return
    }
    const response = this.responses[this.#current]
    if (response === undefined) return
    response.complete(tag)
    if (!this.#isQuery) this.#current++
  }

  failed (error: Error & Refusal): void {
    const index = this.preludeDone + this.#current
    const failing = this.preludeDone < this.#preludeStatements.length ? this.#preludeStatements[this.preludeDone] : this.responses[this.#current]?.prepared
    this.isStale = failing !== undefined && this.#prepared?.isRefused(failing, error, index) === true
    if (this.isStale) this.staleName = failing?.name
    for (const { isDone, prepared } of this.responses) if (!isDone && prepared?.readRow === undefined) forgetDescription(prepared)
    this.#finish(error)
  }

  ready (): void {
    this.isAnswered = true
    this.#finish(undefined)
  }

  awaitReady (ready: () => void): void { onceReady(this.#client, ready) }

  #finish (error: Error | undefined): void {
    this.#prepared?.end()
    const finished = this.#finished
    this.#finished = undefined
    finished?.(error)
  }

  /** Writes a statement: Parse only if PostgreSQL does not have the name, Describe only once for a name. */
  #write ({ text, name, values }: Pick<Statement, 'text' | 'name' | 'values'>, isDescribed: boolean): PreparedStatement | undefined {
    const messages = this.#messages
    const book = this.#prepared
    if (name === undefined || book === undefined || this.#unnamed?.has(name) === true) {
      book?.parseUnnamed()
      messages.parse('', text)
      messages.bind('', values)
      if (isDescribed) messages.describe()
      messages.execute()
      return undefined
    }
    const known = book.find(name)
    const prepared = known === undefined || known.isDoubtful ? this.#parse(book, { name, text, known }) : known
    book.use(prepared)
    messages.bind(name, values)
    if (isDescribed && !prepared.isDescribed) {
      messages.describe()
      prepared.isDescribed = true
    }
    messages.execute()
    return prepared
  }

  /** Parses a statement. A statement that makes room for it is closed first, so that the limit is never exceeded. */
  #parse (book: PreparedStatements, { name, text, known }: { name: string, text: string, known: PreparedStatement | undefined }): PreparedStatement {
    const closed = known ?? book.surplus(this.#mostNames)
    if (closed !== undefined) {
      this.#messages.close(closed.name)
      book.close(closed)
    }
    this.#messages.parse(name, text)
    return book.parse(name)
  }
}

/** Describes a statement again the next time, because its description may not have come. */
function forgetDescription (prepared: PreparedStatement | undefined): void {
  if (prepared !== undefined) prepared.isDescribed = false
}
