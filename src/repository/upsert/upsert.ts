import { ValidationError } from '../../errors/errors.js'
import type { ConflictPlan, UpsertResult } from './insert-or-select.js'
import type { CreatedRow } from '../../values/column-codec.js'
import { storeRows } from '../write/insert-pipeline.js'
import type { TableStatements } from '../table/table-statements.js'
import type { GivenRow, StoredRows } from '../write/insert-pipeline.js'
import { parseUpsert } from './upsert-options.js'
import { UpsertRuns } from './upsert-batches.js'
import type { WriteContext } from '../write/write-context.js'

/** Inserts a row, or changes the one with the same key. */
export async function upsertOne (context: WriteContext, values: unknown, options: unknown): Promise<CreatedRow> {
  const [met] = await upsertRows(context, [values], { operation: 'upsert', options })
  return (met as UpsertResult).result // one row was given
}

/** Inserts the rows, or changes those with the same keys, one after the other, all or none. */
export async function upsertMany (context: WriteContext, rows: unknown, options: unknown): Promise<CreatedRow[]> {
  if (!Array.isArray(rows)) throw new ValidationError('upsertMany() takes an array of rows', { context: { operation: 'upsertMany', table: context.table.name } })
  return (await upsertRows(context, rows, { operation: 'upsertMany', options })).map(({ result }) => result)
}

function upsertRows (context: WriteContext, rows: readonly unknown[], { operation, options }: { operation: string, options: unknown }): Promise<UpsertResult[]> {
  const { table, seen: found } = context
  const { target, update } = parseUpsert(context, options)
  const meet = meeting(table, (given) => ({ operation, target, ...update(given), found }))
  const runs = new UpsertRuns(table)
  return storeRows(context, rows, {
    take: (given) => runs.add(meet(given), given),
    isGradual: true,
    isNumbered: operation === 'upsertMany',
    send: async (session, given) => rows.length > 1 ? await session.transaction((scope) => runs.send(scope, given)) : await runs.send(session, given),
    stored
  })
}

/**
 * How a row is met: by which columns it has, whatever their values, so that rows like the one before are met like that;
 * unless `$onUpdate` makes a value for each.
 */
function meeting ({ codecs }: TableStatements, meet: (given: GivenRow) => ConflictPlan): (given: GivenRow) => ConflictPlan {
  if (codecs.some(({ column }) => column.onUpdateFn !== undefined)) return meet
  let before: { readonly keys: readonly string[], readonly meeting: ConflictPlan } | undefined
  return (given) => {
    const keys = Object.keys(given)
    const isAlike = before?.keys.length === keys.length && keys.every((key, place) => key === before?.keys[place])
    if (before === undefined || !isAlike) before = { keys, meeting: meet(given) }
    return before.meeting
  }
}

/** What the hooks of a class are told of. */
export function stored (all: readonly UpsertResult[]): StoredRows {
  return {
    created: all.filter(({ result }) => result.created).map(({ result }) => result.row),
    updated: all.filter(({ result, written }) => written && !result.created).map(({ result }) => result.row)
  }
}
