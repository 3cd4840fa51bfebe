import { EmptyFilterError, UsageError, ValidationError } from '../errors/errors.js'
import { askWriting, storedOf } from './table/answers.js'
import type { AnyRow } from './table/answers.js'
import { insertMany } from './bulk/bulk-insert.js'
import { rowOf } from './write/column-values.js'
import type { Change } from './write/column-values.js'
import { allOf } from './filter/condition.js'
import type { Condition } from './filter/condition.js'
import { isPlainObject, parseFilter } from './filter/parse-filter.js'
import { getOrCreate } from './upsert/get-or-create.js'
import type { CreatedRow } from '../values/column-codec.js'
import { markDeleted, markLive, purge, removeRows, takeRows } from './write/delete.js'
import { updateOne, updateRows } from './write/update.js'
import { storeRows } from './write/insert-pipeline.js'
import type { StatementRunner } from '../statement/statement.js'
import { upsertMany, upsertOne } from './upsert/upsert.js'
import { insert } from './write/write-statements.js'
import { givenTo, keyed } from './write/write-context.js'
import type { WriteContext } from './write/write-context.js'

/**
 * What the methods of a repository that write do, before the types of its table are put on: input is unknown here, and checked.
 * Bad input rejects and never throws.
 */
export class RowWrites {
  readonly #context: WriteContext

  constructor (context: WriteContext) {
    this.#context = context
  }

  create (values: unknown): Promise<AnyRow> {
    const { table, session, hooks } = this.#context
    // What is done most often takes the short way.
    if (hooks === undefined) return this.#create(session, () => rowOf(givenTo(this.#context, values), table))
    let row: readonly Change[]
    return storeRows(this.#context, [values], {
      take: (given) => { row = rowOf(given, table) },
      send: (scope) => this.#create(scope, () => row),
      stored: (row) => ({ created: [row] })
    })
  }

  #create (session: StatementRunner, row: () => readonly Change[]): Promise<AnyRow> {
    const { table } = this.#context
    return askWriting(session, { table, row, make: (changes) => insert(table, 'create', [changes]) }, storedOf)
  }

  async createMany (rows: unknown): Promise<AnyRow[]> {
    if (!Array.isArray(rows)) throw new ValidationError('createMany() takes an array of rows', this.#about('createMany'))
    return await insertMany(this.#context, rows)
  }

  async upsert (values: unknown, options: unknown): Promise<CreatedRow> {
    return await upsertOne(this.#context, values, options)
  }

  upsertMany (rows: unknown, options: unknown): Promise<CreatedRow[]> {
    return upsertMany(this.#context, rows, options)
  }

  getOrCreate (filter: unknown, defaults: unknown): Promise<CreatedRow> {
    return getOrCreate(this.#context, filter, defaults)
  }

  update (id: unknown, values: unknown, options: unknown): Promise<AnyRow | undefined> {
    return updateOne(this.#context, id, { values, options })
  }

  updateMany (filter: unknown, values: unknown, options: unknown): Promise<number> {
    return updateRows(this.#context, values, { where: () => this.#some('updateMany', filter, options), filter })
  }

  async delete (id: unknown): Promise<boolean> {
    return await removeRows(this.#context, { operation: 'delete', where: () => keyed(this.#context, id), which: { id } }) > 0
  }

  /** Deletes the row and resolves with what it was. */
  async take (id: unknown): Promise<AnyRow | undefined> {
    const [row] = await takeRows(this.#context, { operation: 'deleteOrThrow', where: () => keyed(this.#context, id), which: { id } })
    return row
  }

  deleteMany (filter: unknown, options: unknown): Promise<number> {
    const where = (): Condition => this.#some('deleteMany', filter, options)
    return removeRows(this.#context, { operation: 'deleteMany', where, which: { filter } })
  }

  softDelete (id: unknown): Promise<AnyRow | undefined> {
    return markDeleted(this.#context, id)
  }

  restore (id: unknown): Promise<AnyRow | undefined> {
    return markLive(this.#context, id)
  }

  purge (options: unknown): Promise<number> {
    return purge(this.#context, options)
  }

  /** The rows of a filter that a write may be given: an empty one could be a slip. */
  #some (operation: string, filter: unknown, options: unknown): Condition {
    const { table, seen } = this.#context
    const all = meansAll(operation, options)
    const asked = parseFilter(filter, table.columns)
    if (asked.kind === 'everything' && !all) throw new EmptyFilterError(undefined, this.#about(operation))
    return allOf([asked, seen])
  }

  #about (operation: string): { context: { operation: string, table: string } } {
    return { context: { operation, table: this.#context.table.name } }
  }
}

/** @throws UsageError for an option that there is none, and a value that it cannot have: only the program writes them. */
function meansAll (operation: string, options: unknown): boolean {
  const given = options ?? {}
  const { all = false, ...rest }: Record<string, unknown> = isPlainObject(given) ? given : { given }
  if (typeof all === 'boolean' && Object.keys(rest).length === 0) return all
  throw new UsageError(`The options of ${operation}() are { all: true } or { all: false }`)
}
