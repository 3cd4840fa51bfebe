/**
 * A message group is several statements under one Sync: they travel together, and after the first failure PostgreSQL skips
 * all the rest until the Sync. That is how BEGIN and the first statement share one round trip without the danger of pg's own
 * pipeline mode, where each query has a Sync of its own and a failed BEGIN lets the statement behind it commit by itself.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-PIPELINING
 *
 * A text without values that travels alone is a simple Query instead: it may be several statements, or a COPY.
 */
import { Answer } from './answer.js'
import { FrontendMessages } from './frontend-messages.js'
import { sendGroup } from './pg-internals.js'
import type { ClientBase } from 'pg'
import type { Exchange } from './exchange.js'
import type { AnswerReader, Field } from './pg-internals.js'
import type { PreparedStatement, PreparedStatements } from './prepared-statements.js'
import type { Statement } from '../session/statement.js'

/** How a group is written. */
export interface GroupOptions {
  readonly lead: readonly string[]
  /** The names that the connection knows; without them none are used. */
  readonly prepared: PreparedStatements | undefined
  /** Whether there is one statement, and nothing that leads. */
  readonly isAlone: boolean
}

/** One buffer serves all groups, one after the other; a value that runs a statement while it is written gives that another one. */
let spare: FrontendMessages | undefined

/** BEGIN comes in few kinds, and with every transaction: it has a name, as a repository's statements have. */
const begins = new Map<string, string>()

function nameOf (lead: string): string | undefined {
  if (!lead.startsWith('begin')) return undefined
  let name = begins.get(lead)
  if (name === undefined) begins.set(lead, name = `data_access_${lead.replaceAll(/\W+/g, '_')}`)
  return name
}

/** SQLSTATEs of a name whose statement is gone, would answer with other columns than before, or is there already. */
const staleStates = new Set(['26000', '0A000', '42P05'])

export class MessageGroup implements Exchange, AnswerReader {
  readonly answers: Answer[] = []
  led = 0
  leadAnswer: string | undefined
  isAnswered = false
  isStale = false
  readonly #client: ClientBase
  readonly #prepared: PreparedStatements | undefined
  readonly #leads: ReadonlyArray<PreparedStatement | undefined>
  readonly #isAlone: boolean
  readonly #messages: FrontendMessages
  /** The statements whose text is in the group. */
  readonly #parsing: PreparedStatement[] = []
  /** Those that make room for others. */
  readonly #closed: PreparedStatement[] = []
  #isQuery = false
  #current = 0
  #finished: ((error: Error | undefined) => void) | undefined

  constructor (client: ClientBase, { lead, prepared, isAlone }: GroupOptions) {
    this.#client = client
    this.#prepared = prepared
    this.#isAlone = isAlone
    this.#messages = spare ?? new FrontendMessages()
    spare = undefined
    this.#messages.cut(0)
    this.#leads = lead.map((text) => this.#write({ text, name: nameOf(text), values: [] }, false))
  }

  add (statement: Statement): void {
    const messages = this.#messages
    const { length } = messages
    const parsing = this.#parsing.length
    try {
      this.#isQuery = this.#isAlone && statement.values.length === 0 && (this.#prepared === undefined || statement.name === undefined)
      if (this.#isQuery) messages.query(statement.text)
      this.answers.push(new Answer(statement, this.#isQuery ? undefined : this.#write(statement, true)))
    } catch (error) {
      messages.cut(length)
      this.#parsing.length = parsing
      throw error
    }
  }

  send (finished: (error: Error | undefined) => void): void {
    this.#finished = finished
    if (!this.#isQuery) this.#messages.sync()
    const bytes = this.#messages.take()
    spare = this.#messages
    sendGroup(this.#client, { text: String(this.answers[0]?.statement.text), bytes, reader: this })
  }

  described (fields: readonly Field[]): void {
    this.answers[this.#current]?.describe(fields, this.#client)
  }

  row (fields: ReadonlyArray<string | null>): void {
    if (this.led === this.#leads.length) this.answers[this.#current]?.row(fields)
    else this.leadAnswer = String(fields[0])
  }

  completed (tag: string | undefined): void {
    if (this.led < this.#leads.length) {
      parsed(this.#leads[this.led++])
      return
    }
    const answer = this.answers[this.#current]
    if (answer === undefined) return
    answer.complete(tag)
    parsed(answer.prepared)
    if (!this.#isQuery) this.#current++
  }

  failed (error: Error & { readonly code?: unknown }): void {
    const failed = this.led < this.#leads.length ? this.#leads[this.led] : this.answers[this.#current]?.prepared
    this.isStale = failed !== undefined && staleStates.has(String(error.code))
    if (failed !== undefined && this.isStale) failed.state = 'doubtful'
    for (const prepared of this.#parsing) if (prepared.state === 'new') prepared.state = 'doubtful'
    this.#finish(error)
  }

  ready (): void {
    this.isAnswered = true
    for (const prepared of this.#closed) if (prepared.state === 'doubtful') this.#prepared?.forget(prepared)
    this.#finish(undefined)
  }

  #finish (error: Error | undefined): void {
    const finished = this.#finished
    this.#finished = undefined
    finished?.(error)
  }

  /** Writes a statement: its text only where PostgreSQL does not know its name, and the question for its columns only then. */
  #write ({ text, name, values }: Pick<Statement, 'text' | 'name' | 'values'>, isDescribed: boolean): PreparedStatement | undefined {
    const messages = this.#messages
    if (name === undefined || this.#prepared === undefined) {
      messages.parse('', text)
      messages.bind('', values)
      if (isDescribed) messages.describe()
      messages.execute()
      return undefined
    }
    const prepared = this.#prepared.use(name)
    const isKnown = prepared.state === 'parsed' || this.#parsing.includes(prepared)
    if (!isKnown) this.#parse(prepared, text)
    messages.bind(name, values)
    if (!isKnown && isDescribed) messages.describe()
    messages.execute()
    return prepared
  }

  #parse (prepared: PreparedStatement, text: string): void {
    const messages = this.#messages
    const { name, state } = prepared
    if (state === 'doubtful') messages.close(name)
    messages.parse(name, text)
    this.#parsing.push(prepared)
    const surplus = this.#prepared?.surplus()
    if (surplus === undefined) return
    // Whether it is gone is known only when the whole group is answered.
    surplus.state = 'doubtful'
    this.#closed.push(surplus)
    messages.close(surplus.name)
  }
}

function parsed (prepared: PreparedStatement | undefined): void {
  if (prepared !== undefined) prepared.state = 'parsed'
}
