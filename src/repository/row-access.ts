import { sql } from 'drizzle-orm'
import { EmptyFilterError, MultipleResultsError, NotFoundError, ValidationError } from '../errors/errors.js'
import type { Statement, StatementRunner } from '../session/statement.js'
import { ask, firstOf, rowsOf, valueOf, writtenBy } from './answers.js'
import type { AnyRow } from './answers.js'
import { insertMany } from './bulk.js'
import { changesOf, changesWith, rowOf } from './changes.js'
import { allOf } from './condition.js'
import type { Condition } from './condition.js'
import { parseFilter } from './filter.js'
import { keyCondition } from './key.js'
import { count, exists, select, selectMany } from './select.js'
import type { TableStatements } from './statements.js'
import { visible } from './visibility.js'
import type { Visibility } from './visibility.js'
import { insert, remove, update } from './write.js'

/**
 * What the methods of a repository do, before the types of its table are put on: input is unknown here, and checked.
 * Bad input rejects and never throws.
 */
export class RowAccess {
  readonly #table: TableStatements
  readonly #session: StatementRunner
  readonly #seen: Condition

  constructor (table: TableStatements, session: StatementRunner, visibility: Visibility) {
    this.#table = table
    this.#session = session
    this.#seen = visible(table.softDelete, visibility)
  }

  get (id: unknown, options: unknown): Promise<AnyRow | undefined> {
    return ask(this.#session, () => this.#rowWhere('get', this.#byKey(id), options), firstOf)
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
    return ask(this.#session, () => select(this.#table, { operation, where: this.#matching(filter), options, kind: 'page' }), rowsOf)
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

  create (values: unknown): Promise<AnyRow | undefined> {
    return ask(this.#session, () => insert(this.#table, 'create', [rowOf(values, this.#table)]), firstOf)
  }

  async createMany (rows: unknown): Promise<unknown[]> {
    if (!Array.isArray(rows)) throw new ValidationError('createMany() takes an array of rows', this.#about('createMany'))
    return insertMany(this.#table, rows, this.#session)
  }

  update (id: unknown, values: unknown): Promise<AnyRow | undefined> {
    return ask(this.#session, () => {
      const where = this.#byKey(id)
      const changes = changesOf(values, this.#table)
      if (changes.length === 0) return this.#rowWhere('update', where, undefined)
      return update(this.#table, { operation: 'update', changes, where, returning: true })
    }, firstOf)
  }

  async updateMany (filter: unknown, values: unknown, options: unknown): Promise<number> {
    const where = this.#some('updateMany', filter, options)
    const changes = changesOf(values, this.#table)
    if (changes.length === 0) return Number(await ask(this.#session, () => count(this.#table, where), valueOf))
    return ask(this.#session, () => update(this.#table, { operation: 'updateMany', changes, where, returning: false }), writtenBy)
  }

  async delete (id: unknown): Promise<boolean> {
    return await ask(this.#session, () => remove(this.#table, { operation: 'delete', where: this.#byKey(id), returning: false }), writtenBy) > 0
  }

  /** Deletes the row and resolves with what it was. */
  take (id: unknown): Promise<AnyRow | undefined> {
    return ask(this.#session, () => remove(this.#table, { operation: 'deleteOrThrow', where: this.#byKey(id), returning: true }), firstOf)
  }

  deleteMany (filter: unknown, options: unknown): Promise<number> {
    return ask(this.#session, () => remove(this.#table, { operation: 'deleteMany', where: this.#some('deleteMany', filter, options), returning: false }), writtenBy)
  }

  softDelete (id: unknown): Promise<AnyRow | undefined> {
    return this.#markDeleted('softDelete', id)
  }

  restore (id: unknown): Promise<AnyRow | undefined> {
    return this.#markDeleted('restore', id)
  }

  /** The row that was looked for; without one a NotFoundError. */
  found (operation: string, looked: Promise<AnyRow | undefined>): Promise<AnyRow> {
    return looked.then((row) => {
      if (row === undefined) throw new NotFoundError(undefined, this.#about(operation))
      return row
    })
  }

  /** Deleting and restoring look for rows in the state that they end, whatever else the repository sees. */
  async #markDeleted (operation: 'softDelete' | 'restore', id: unknown): Promise<AnyRow | undefined> {
    const { softDelete } = this.#table
    if (softDelete === undefined) {
      throw new ValidationError(`${operation}() needs a table with ...softDelete() among its columns`, this.#about(operation))
    }
    const { codec } = softDelete
    const deletedAt = operation === 'softDelete' ? sql`now()` : null
    const where = allOf([keyCondition(id, this.#table), visible(softDelete, operation === 'softDelete' ? 'live' : 'deleted')])
    const changes = changesWith(Object.assign(Object.create(null), { [codec.key]: deletedAt }), this.#table)
    return ask(this.#session, () => update(this.#table, { operation, changes, where, returning: true }), firstOf)
  }

  #rowWhere (operation: string, where: Condition, options: unknown): Statement {
    return select(this.#table, { operation, where, options, kind: 'row' })
  }

  #byKey (id: unknown): Condition {
    return allOf([keyCondition(id, this.#table), this.#seen])
  }

  #matching (filter: unknown): Condition {
    return allOf([parseFilter(filter, this.#table.columns), this.#seen])
  }

  /** The rows of a filter that a write may be given: an empty one could be a slip. */
  #some (operation: string, filter: unknown, options: unknown): Condition {
    const asked = parseFilter(filter, this.#table.columns)
    const all = typeof options === 'object' && options !== null && 'all' in options && options.all === true
    if (asked.kind === 'everything' && !all) throw new EmptyFilterError(undefined, this.#about(operation))
    return allOf([asked, this.#seen])
  }

  #about (operation: string): { context: { operation: string, table: string } } {
    return { context: { operation, table: this.#table.name } }
  }
}
