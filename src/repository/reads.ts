import { MultipleResultsError, NotFoundError, ValidationError } from '../errors/errors.js'
import type { Statement, StatementRunner } from '../statement/statement.js'
import { ask, firstOf, rowsOf, valueOf } from './table/answers.js'
import type { AnyRow } from './table/answers.js'
import { allOf } from './filter/condition.js'
import type { Condition } from './filter/condition.js'
import { readByCursor } from './read/cursor-page.js'
import type { CursorRows } from './read/cursor-page.js'
import { boundsOfList, cut } from './read/default-limit.js'
import { parseFilter } from './filter/parse-filter.js'
import { keyCondition } from './filter/key-condition.js'
import { paginate } from './read/paginate.js'
import type { NumberedRows } from './read/paginate.js'
import { count, exists, select, selectMany } from './read/select.js'
import type { TableStatements } from './table/table-statements.js'
import { stream } from './read/stream.js'

/**
 * What the methods of a repository that read do, before the types of its table are put on: input is unknown here, and checked.
 * Bad input rejects and never throws.
 */
export class RowAccess {
  readonly #table: TableStatements
  readonly #session: StatementRunner
  readonly #seen: Condition

  constructor (table: TableStatements, session: StatementRunner, seen: Condition) {
    this.#table = table
    this.#session = session
    this.#seen = seen
  }

  get (id: unknown, options: unknown): Promise<AnyRow | undefined> {
    return ask(this.#session, () => select(this.#table, { operation: 'get', where: this.#byKey(id), options, kind: 'row' }), firstOf)
  }

  getBy (filter: unknown, options: unknown): Promise<AnyRow | undefined> {
    const { name: table } = this.#table
    return ask(this.#session, () => select(this.#table, { operation: 'getBy', where: this.#matching(filter), options, kind: 'row', limit: 2 }), ({ rows }) => {
      if (rows.length > 1) throw new MultipleResultsError(undefined, { context: { operation: 'getBy', table } })
      return rows[0] as AnyRow | undefined
    })
  }

  getMany (ids: unknown): Promise<AnyRow[]> {
    if (!Array.isArray(ids)) return Promise.reject(new ValidationError('getMany() takes an array of primary keys', this.#about('getMany')))
    if (ids.length === 0) return Promise.resolve([])
    return ask(this.#session, () => selectMany(this.#table, ids, this.#seen), rowsOf)
  }

  list (operation: string, filter: unknown, options: unknown): Promise<AnyRow[]> {
    const make = (): Statement => {
      const bounds = boundsOfList(options, this.#table)
      return select(this.#table, { operation, where: this.#matching(filter), options, kind: 'page', bounds })
    }
    return ask<AnyRow, AnyRow[]>(this.#session, make, (answer) => cut(answer, { operation, options }, { session: this.#session, table: this.#table }))
  }

  async paginate (filter: unknown, options: unknown): Promise<NumberedRows> {
    return await paginate(this.#session, this.#table, { where: this.#matching(filter), options })
  }

  async cursor (filter: unknown, options: unknown): Promise<CursorRows> {
    return await readByCursor(this.#session, this.#table, { where: this.#matching(filter), options })
  }

  /** Bad input throws at once here: there is no promise yet that could reject. */
  stream (filter: unknown, options: unknown): AsyncGenerator<AnyRow, void, undefined> {
    return stream(this.#session, this.#table, { where: this.#matching(filter), options })
  }

  first (filter: unknown, options: unknown): Promise<AnyRow | undefined> {
    return ask(this.#session, () => select(this.#table, { operation: 'first', where: this.#matching(filter), options, kind: 'first', limit: 1 }), firstOf)
  }

  async count (filter: unknown): Promise<number> {
    return Number(await ask(this.#session, () => count(this.#table, this.#matching(filter)), valueOf))
  }

  async exists (filter: unknown): Promise<boolean> {
    return await ask(this.#session, () => exists(this.#table, this.#matching(filter)), valueOf) !== undefined
  }

  /** The row that was looked for; without one a NotFoundError. */
  found (operation: string, looked: Promise<AnyRow | undefined>): Promise<AnyRow> {
    return looked.then((row) => {
      if (row === undefined) throw new NotFoundError(undefined, this.#about(operation))
      return row
    })
  }

  #byKey (id: unknown): Condition {
    return allOf([keyCondition(id, this.#table), this.#seen])
  }

  #matching (filter: unknown): Condition {
    return allOf([parseFilter(filter, this.#table.columns), this.#seen])
  }

  #about (operation: string): { context: { operation: string, table: string } } {
    return { context: { operation, table: this.#table.name } }
  }
}
