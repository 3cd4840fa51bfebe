import { sql } from 'drizzle-orm'
import { EmptyFilterError, MultipleResultsError, NotFoundError, ValidationError } from '../errors/errors.js'
import type { Statement, StatementRunner } from '../session/statement.js'
import { rowsOf, valueOf, writtenBy } from './answers.js'
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

type AnyRow = Record<string, unknown>

/**
 * What the methods of a repository do, before the types of its table are put on: input is unknown here, and checked.
 * Each method is async, so that bad input rejects and never throws.
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

  async get (id: unknown, options: unknown): Promise<AnyRow | undefined> {
    return this.#selectRow('get', this.#byKey(id), options)
  }

  async getBy (filter: unknown, options: unknown): Promise<AnyRow | undefined> {
    const statement = select(this.#table, { operation: 'getBy', where: this.#matching(filter), options, kind: 'row', limit: 2 })
    const [row, another] = await rowsOf(this.#session, statement)
    if (another !== undefined) throw new MultipleResultsError(undefined, { context: statement.context })
    return row
  }

  async getMany (ids: unknown): Promise<AnyRow[]> {
    if (!Array.isArray(ids)) throw new ValidationError('getMany() takes an array of primary keys', this.#about('getMany'))
    if (ids.length === 0) return []
    return rowsOf(this.#session, selectMany(this.#table, ids, this.#seen))
  }

  async list (operation: string, filter: unknown, options: unknown): Promise<AnyRow[]> {
    return rowsOf(this.#session, select(this.#table, { operation, where: this.#matching(filter), options, kind: 'page' }))
  }

  async first (filter: unknown, options: unknown): Promise<AnyRow | undefined> {
    const [row] = await rowsOf(this.#session, select(this.#table, { operation: 'first', where: this.#matching(filter), options, kind: 'first', limit: 1 }))
    return row
  }

  async count (filter: unknown): Promise<number> {
    return Number(await valueOf(this.#session, count(this.#table, this.#matching(filter))))
  }

  async exists (filter: unknown): Promise<boolean> {
    return await valueOf(this.#session, exists(this.#table, this.#matching(filter))) !== undefined
  }

  async create (values: unknown): Promise<AnyRow | undefined> {
    return this.#firstOf(insert(this.#table, 'create', [rowOf(values, this.#table)]))
  }

  async createMany (rows: unknown): Promise<unknown[]> {
    if (!Array.isArray(rows)) throw new ValidationError('createMany() takes an array of rows', this.#about('createMany'))
    return insertMany(this.#table, rows, this.#session)
  }

  async update (id: unknown, values: unknown): Promise<AnyRow | undefined> {
    const where = this.#byKey(id)
    const changes = changesOf(values, this.#table)
    if (changes.length === 0) return this.#selectRow('update', where, undefined)
    return this.#firstOf(update(this.#table, { operation: 'update', changes, where, returning: true }))
  }

  async updateMany (filter: unknown, values: unknown, options: unknown): Promise<number> {
    const where = this.#some('updateMany', filter, options)
    const changes = changesOf(values, this.#table)
    if (changes.length === 0) return Number(await valueOf(this.#session, count(this.#table, where)))
    return writtenBy(this.#session, update(this.#table, { operation: 'updateMany', changes, where, returning: false }))
  }

  async delete (id: unknown): Promise<boolean> {
    return await writtenBy(this.#session, remove(this.#table, { operation: 'delete', where: this.#byKey(id), returning: false })) > 0
  }

  /** Deletes the row and resolves with what it was. */
  async take (id: unknown): Promise<AnyRow | undefined> {
    return this.#firstOf(remove(this.#table, { operation: 'deleteOrThrow', where: this.#byKey(id), returning: true }))
  }

  async deleteMany (filter: unknown, options: unknown): Promise<number> {
    return writtenBy(this.#session, remove(this.#table, { operation: 'deleteMany', where: this.#some('deleteMany', filter, options), returning: false }))
  }

  async softDelete (id: unknown): Promise<AnyRow | undefined> {
    return this.#markDeleted('softDelete', id)
  }

  async restore (id: unknown): Promise<AnyRow | undefined> {
    return this.#markDeleted('restore', id)
  }

  /** The row that was looked for; without one a NotFoundError. */
  async found (operation: string, looked: Promise<AnyRow | undefined>): Promise<AnyRow> {
    const row = await looked
    if (row === undefined) throw new NotFoundError(undefined, this.#about(operation))
    return row
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
    return this.#firstOf(update(this.#table, { operation, changes, where, returning: true }))
  }

  async #selectRow (operation: string, where: Condition, options: unknown): Promise<AnyRow | undefined> {
    return this.#firstOf(select(this.#table, { operation, where, options, kind: 'row' }))
  }

  async #firstOf (statement: Statement): Promise<AnyRow | undefined> {
    const [row] = await rowsOf(this.#session, statement)
    return row
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
