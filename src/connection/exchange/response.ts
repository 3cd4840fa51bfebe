import { textReader } from './default-row-reader.js'
import type { Field } from '../../pg/client.js'
import type { PreparedStatement } from './prepared-statements.js'
import type { RowParser, Statement, StatementResult } from '../../statement/statement.js'
import type { TypeParsers } from '../../pg/values.js'

/** The response to one text: the result of its last statement, and all results in {@link Response.results}. */
export class Response {
  readonly statement: Statement
  readonly prepared: PreparedStatement | undefined
  rows: unknown[] = []
  fields: readonly Field[] = []
  /** PostgreSQL's command tags, for example `INSERT 0 1`: one for each statement in the text. */
  readonly tags: string[] = []
  isDone = false
  /** The reason why a row could not be read. */
  unreadable: Error | undefined
  #readRow: RowParser | undefined
  #isDescribed = false
  #earlier: StatementResult[] | undefined

  constructor (statement: Statement, prepared: PreparedStatement | undefined) {
    this.statement = statement
    this.prepared = prepared
  }

  /** One result for each statement, in order, if the text had several. */
  get results (): StatementResult[] | undefined { return this.#earlier && [...this.#earlier, this.#result] }

  get #result (): StatementResult {
    const { rows, rowCount, command, fields } = this
    return { rows: rows as never[], rowCount, command, fields } // the statement's reader made them
  }

  /** Begins the response to the next statement of the text. */
  #next (): void {
    this.#earlier ??= []
    this.#earlier.push(this.#result)
    this.rows = []
    this.fields = []
  }

  get command (): string {
    const tag = this.tags.at(-1) ?? ''
    const end = tag.indexOf(' ')
    return end === -1 ? tag : tag.slice(0, end)
  }

  /** How many rows were read or written, if PostgreSQL reports it. */
  get rowCount (): number | null {
    const tag = this.tags.at(-1) ?? ''
    const count = tag.slice(tag.lastIndexOf(' ') + 1)
    // The character after 9 is a colon: a tag without a number ends in letters, or is empty.
    return count < '0' || count >= ':' ? null : Number(count)
  }

  describe (fields: readonly Field[], types: TypeParsers): void {
    const { statement, prepared } = this
    if (this.isDone) this.#next()
    this.fields = fields
    this.#isDescribed = true
    try {
      this.#readRow = statement.reader === undefined ? textReader(statement, fields, types) : statement.reader(fields)
    } catch (error) {
      this.unreadable ??= error as Error
      this.#readRow = () => { throw error }
      // The next use describes it again.
      if (prepared !== undefined) prepared.isDescribed = false
    }
    if (prepared !== undefined) prepared.readRow = this.#readRow
  }

  row (texts: ReadonlyArray<string | null>): void {
    if (this.unreadable !== undefined) return
    const readRow = this.#readRow ?? this.prepared?.readRow
    try {
      this.rows.push(readRow?.(texts))
    } catch (error) {
      this.unreadable = error as Error
    }
  }

  complete (tag: string | undefined): void {
    if (this.isDone && !this.#isDescribed) this.#next()
    if (tag !== undefined) this.tags.push(tag)
    this.isDone = true
    this.#isDescribed = false
  }
}
