import { textReader } from './default-row-reader.js'
import type { Field } from '../pg/client.js'
import type { PreparedStatement } from './prepared-statements.js'
import type { RowParser, Statement, StatementResult } from '../statement/statement.js'
import type { TypeParsers } from '../pg/values.js'

/** What has come back for one statement; of several in one text, for the last, with all of them in {@link Response.results}. */
export class Response {
  readonly statement: Statement
  readonly prepared: PreparedStatement | undefined
  rows: unknown[] = []
  fields: readonly Field[] = []
  /** PostgreSQL's words for what it did, `INSERT 0 1`: one for each statement in the text. */
  readonly tags: string[] = []
  isDone = false
  /** Why a row could not be read. */
  unreadable: Error | undefined
  #readRow: RowParser | undefined
  #isDescribed = false
  #earlier: StatementResult[] | undefined

  constructor (statement: Statement, prepared: PreparedStatement | undefined) {
    this.statement = statement
    this.prepared = prepared
  }

  /** One for each statement, in their order, where the text had several. */
  get results (): StatementResult[] | undefined { return this.#earlier && [...this.#earlier, this.#result] }

  get #result (): StatementResult {
    const { rows, rowCount, command, fields } = this
    return { rows: rows as never[], rowCount, command, fields } // they are what the statement's reader made of them
  }

  /** Another statement of the same text is answered now. */
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

  /** How many rows were read or written, where PostgreSQL says so. */
  get rowCount (): number | null {
    const tag = this.tags.at(-1) ?? ''
    const count = tag.slice(tag.lastIndexOf(' ') + 1)
    return count === '' || count > '9' ? null : Number(count)
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
      // Whoever asks next time may have better luck.
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
