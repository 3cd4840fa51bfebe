import { ValidationError } from '../../errors/errors.js'
import type { ConflictPlan, UpsertResult } from './insert-or-select.js'
import type { CreatedRow } from '../../values/column-codec.js'
import { storeRows } from '../write/insert-pipeline.js'
import type { TableStatements } from '../table/table-statements.js'
import type { GivenRow, StoredRows } from '../write/insert-pipeline.js'
import { withStoredTimes } from './conflict-target.js'
import { parseUpsert } from './upsert-options.js'
import { UpsertBatches } from './upsert-batches.js'
import type { WriteContext } from '../write/write-context.js'

/** Inserts a row, or changes the existing row with the same key. */
export async function upsertOne (context: WriteContext, values: unknown, options: unknown): Promise<CreatedRow> {
  const [first] = await upsertRows(context, [values], { operation: 'upsert', options })
  return (first as UpsertResult).result // one row was given
}

/** Inserts the rows, or changes the existing rows with the same keys, in order: all or none. */
export async function upsertMany (context: WriteContext, rows: unknown, options: unknown): Promise<CreatedRow[]> {
  if (!Array.isArray(rows)) {
    throw new ValidationError('upsertMany() takes an array of rows', { context: { operation: 'upsertMany', table: context.table.name } })
  }
  return (await upsertRows(context, rows, { operation: 'upsertMany', options })).map(({ result }) => result)
}

function upsertRows (
  context: WriteContext, rows: readonly unknown[], { operation, options }: { operation: string, options: unknown }
): Promise<UpsertResult[]> {
  const { table, visibleRows: found } = context
  const { target, update } = parseUpsert(context, options)
  const planFor = planByColumns(table, (given) => ({ operation, target, ...update(given), found }))
  const runs = new UpsertBatches(table)
  return storeRows(context, rows, {
    take: (given) => {
      const row = withStoredTimes(given, target)
      runs.add(planFor(row), row)
    },
    isGradual: true,
    isNumbered: operation === 'upsertMany',
    send: async (session, given) => rows.length > 1 ? await session.transaction((scope) => runs.send(scope, given)) : await runs.send(session, given),
    stored
  })
}

/**
 * Makes the conflict plan of a row. The last plan is reused for a row with the same columns, except in a table with `$onUpdate`,
 * whose values differ for each row.
 */
function planByColumns ({ codecs }: TableStatements, makePlan: (given: GivenRow) => ConflictPlan): (given: GivenRow) => ConflictPlan {
  if (codecs.some(({ column }) => column.onUpdateFn !== undefined)) return makePlan
  let before: { readonly keys: readonly string[], readonly plan: ConflictPlan } | undefined
  return (given) => {
    const keys = Object.keys(given)
    const isAlike = before?.keys.length === keys.length && keys.every((key, place) => key === before?.keys[place])
    if (before === undefined || !isAlike) before = { keys, plan: makePlan(given) }
    return before.plan
  }
}

/** The rows that are passed to the hooks of a class. */
export function stored (all: readonly UpsertResult[]): StoredRows {
  return {
    created: all.filter(({ result }) => result.created).map(({ result }) => result.row),
    updated: all.filter(({ result, written }) => written && !result.created).map(({ result }) => result.row)
  }
}
