import { ValidationError } from '../../errors/errors.js'
import { ask, firstOf } from '../table/answers.js'
import type { AnyRow } from '../table/answers.js'
import { rowOf } from '../write/column-values.js'
import { allOf, everything } from '../filter/condition.js'
import { targetAmong } from './conflict-target.js'
import type { ConflictTarget } from './conflict-target.js'
import { encode } from '../../values/encode-value.js'
import { isColumnKey, parseFilter } from '../filter/parse-filter.js'
import { isPlainObject } from '../../runtime/option-checks.js'
import { prepareInsertOrSelect, insertOrSelect } from './insert-or-select.js'
import type { ConflictPlan, InsertOrSelect, UpsertResult } from './insert-or-select.js'
import type { CreatedRow } from '../../values/column-codec.js'
import { select } from '../read/select.js'
import { findColumn } from '../table/find-column.js'
import type { TableStatements } from '../table/table-statements.js'
import { storeRows } from '../write/insert-pipeline.js'
import { stored } from './upsert.js'
import { acceptedValues } from '../write/write-context.js'
import type { WriteContext } from '../write/write-context.js'

const operation = 'getOrCreate'

/** Reads the matching row, or creates one from the values of the filter and the defaults. */
export async function getOrCreate (context: WriteContext, filter: unknown, defaults: unknown): Promise<CreatedRow> {
  const { table, session, visibleRows } = context
  const asked = parseFilter(filter, table.columns)
  const equalities = equalitiesOf(filter, table)
  const values = newValues(equalities, defaults)
  const target = uniqueKeyAmong(equalities, table)
  for (const [key, value] of Object.entries(acceptedValues(context, values))) encode(findColumn(key, table.columns), value)
  const found = allOf([asked, visibleRows])
  const row = await ask<AnyRow, AnyRow | undefined>(session, () => select(table, { operation, where: found, options: undefined, kind: 'row' }), firstOf)
  if (row !== undefined) return { row, created: false }
  const ready: InsertOrSelect[] = []
  const plan: ConflictPlan = { operation, target, set: [], where: everything, found, mayLeave: true }
  const [created] = await storeRows(context, [values], {
    take: (given) => { ready.push(prepareInsertOrSelect(table, plan, rowOf(given, table))) },
    send: (session) => Promise.all(ready.map((one) => insertOrSelect(session, one))),
    stored
  })
  return (created as UpsertResult).result // one row was given
}

/** The unique key in the filter. Without one, concurrent calls would make two rows. */
function uniqueKeyAmong (given: AnyRow, table: TableStatements): ConflictTarget {
  const target = targetAmong(given, table)
  if (target !== undefined) return target
  const message = `The filter of getOrCreate() has to name every column of a unique key of "${table.name}" with its value`
  throw new ValidationError(message, { context: { operation, table: table.name } })
}

/** The columns that the filter compares with one value. */
function equalitiesOf (filter: unknown, { columns }: TableStatements): AnyRow {
  const values: AnyRow = Object.create(null)
  if (!isPlainObject(filter)) return values
  for (const [key, value] of Object.entries(filter)) {
    if (!columns.has(key) || !isColumnKey(key, value, columns)) continue
    if (!isPlainObject(value)) values[key] = value
    else if (Object.hasOwn(value, 'eq')) values[key] = value['eq']
  }
  return values
}

function newValues (equalities: AnyRow, defaults: unknown = {}): unknown {
  if (!isPlainObject(defaults)) return defaults
  const twice = Object.keys(defaults).find((key) => key in equalities)
  if (twice !== undefined) throw new ValidationError(`Column "${twice.slice(0, 63)}" is in the filter of getOrCreate(), and cannot be in its defaults`)
  return { ...equalities, ...defaults }
}
