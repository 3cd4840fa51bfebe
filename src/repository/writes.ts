import { checkPlainCall } from '../errors/check-call.js'
import { EmptyFilterError, ValidationError } from '../errors/errors.js'
import { askWriting, storedOf } from './write/run-write.js'
import type { AnyRow } from './table/answers.js'
import type { Statement, StatementRunner } from '../statement/statement.js'
import { insertMany } from './bulk/bulk-insert.js'
import { rowOf } from './write/column-values.js'
import type { Change } from './write/column-values.js'
import { allOf } from './filter/condition.js'
import type { Condition } from './filter/condition.js'
import { errorContext, rowWithKey } from './read/read-context.js'
import { parseFilter } from './filter/parse-filter.js'
import { flag } from '../runtime/option-checks.js'
import { removeRows, takeRows } from './write/delete.js'
import { updateRows } from './write/update.js'
import { storeRows } from './write/insert-pipeline.js'
import type { TableStatements } from './table/table-statements.js'
import { insert } from './write/write-statements.js'
import { acceptedValues } from './write/write-context.js'
import type { WriteContext } from './write/write-context.js'

// The writing methods of a repository, without the types of its table. All input is checked; invalid input rejects and never throws.

export function createRow (context: WriteContext, values: unknown): Promise<AnyRow> {
  const { table, session, hooks } = context
  // A fast path for the most common case.
  if (hooks === undefined) return insertRow(table, session, () => rowOf(acceptedValues(context, values), table))
  let row: readonly Change[]
  return storeRows(context, [values], {
    take: (given) => { row = rowOf(given, table) },
    send: (scope) => insertRow(table, scope, () => row),
    stored: (row) => ({ created: [row] })
  })
}

const oneRow = { operation: 'create', returning: true }

function insertRow (table: TableStatements, session: StatementRunner, row: () => readonly Change[]): Promise<AnyRow> {
  let changes: readonly Change[] = []
  const make = (): Statement => {
    changes = row()
    return insert(table, oneRow, [changes])
  }
  return askWriting(session, { table, make, row: () => changes }, storedOf)
}

/** Inserts the rows. Resolves with them, or with their number. */
export async function createRows (context: WriteContext, rows: unknown, options: unknown): Promise<AnyRow[] | number> {
  if (!Array.isArray(rows)) throw new ValidationError('createMany() takes an array of rows', errorContext(context, 'createMany'))
  const given = options ?? {}
  checkPlainCall('createMany()', given, { returning: flag })
  return await insertMany(context, rows, given['returning'] !== false)
}

export function updateMatching (context: WriteContext, values: unknown, { filter, options }: Matching): Promise<number> {
  return updateRows(context, values, { where: () => some(context, 'updateMany', { filter, options }), filter })
}

export async function deleteByKey (context: WriteContext, id: unknown): Promise<boolean> {
  return await removeRows(context, { operation: 'delete', where: () => rowWithKey(context, id), which: { id } }) > 0
}

/** Deletes the row and resolves with the deleted row. */
export async function takeByKey (context: WriteContext, id: unknown): Promise<AnyRow | undefined> {
  const [row] = await takeRows(context, { operation: 'deleteOrThrow', where: () => rowWithKey(context, id), which: { id } })
  return row
}

export function deleteMatching (context: WriteContext, { filter, options }: Matching): Promise<number> {
  return removeRows(context, { operation: 'deleteMany', where: () => some(context, 'deleteMany', { filter, options }), which: { filter } })
}

/** The filter and the options of a write, not checked yet. */
interface Matching {
  readonly filter: unknown
  readonly options: unknown
}

/** The condition of a filter for a write. An empty filter is refused unless the options confirm it: it could be a mistake. */
function some (context: WriteContext, operation: string, { filter, options }: Matching): Condition {
  const { table, visibleRows } = context
  const all = meansAll(operation, options)
  const asked = parseFilter(filter, table.columns)
  if (asked.kind === 'everything' && !all) throw new EmptyFilterError(undefined, errorContext(context, operation))
  return allOf([asked, visibleRows])
}

/** @throws UsageError for an unknown option or an invalid value: only the program writes them. */
function meansAll (operation: string, options: unknown): boolean {
  const given = options ?? {}
  checkPlainCall(`${operation}()`, given, { all: flag })
  return given['all'] === true
}
