import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { UsageError, ValidationError } from '../../errors/errors.js'
import { constant } from '../../drizzle/constant-sql.js'
import { uniqueKeysOf } from '../../model/unique-keys.js'
import type { UniqueKey } from '../../model/unique-keys.js'
import { about, encode } from '../../values/encode-value.js'
import { allOf, toSql } from '../filter/condition.js'
import { compare } from '../filter/time-conditions.js'
import { slot } from '../table/statement-shape.js'
import type { AnyRow } from '../table/answers.js'
import type { GivenRow } from '../write/insert-pipeline.js'
import type { Condition } from '../filter/condition.js'
import type { Change } from '../write/column-values.js'
import { findColumn } from '../table/find-column.js'
import type { ColumnCodec } from '../../values/column-codec.js'
import type { TableStatements } from '../table/table-statements.js'

/** The unique key by which a new row conflicts with an existing one. */
export interface ConflictTarget {
  readonly codecs: readonly ColumnCodec[]
  /** The condition of a partial index; undefined for a key over all rows. */
  readonly where: SQL | undefined
  readonly nullsNotDistinct: boolean
}

/**
 * The unique key of the named columns, by default the primary key.
 *
 * @throws UsageError if the table declares no such key.
 */
export function conflictTarget (target: unknown, table: TableStatements): ConflictTarget {
  const names = target === undefined ? table.primaryKey.map(({ key }) => key) : Array.isArray(target) ? target.map(columnName) : [columnName(target)]
  const keys = new Set(names.map((name) => findColumn(name, table.columns, UsageError).key))
  const found = uniqueKeysOf(table.table).find(({ columns }) => columns.length === keys.size && columns.every((key) => keys.has(key)))
  if (found !== undefined) return targetOf(found, table)
  throw new UsageError(
    `No unique key of "${table.name}" consists of ${names.map((name) => `"${name}"`).join(' and ')}: ` +
      '"target" names the columns of its primary key, of a unique constraint, or of a unique index',
    { context: { table: table.name, columns: names } }
  )
}

/** The column name in an option. @throws UsageError for anything but a string */
export function columnName (name: unknown): string {
  if (typeof name === 'string') return name
  throw new UsageError('"target" is the name of a column, or an array of names; "update" an array of names, or an object { column: value }')
}

/** Finds a unique key whose columns all have a value. Null counts as a value only if the key treats NULLs as equal. */
export function targetAmong (given: Readonly<Record<string, unknown>>, table: TableStatements): ConflictTarget | undefined {
  const found = uniqueKeysOf(table.table).find(({ columns, nullsNotDistinct }) =>
    columns.every((key) => given[key] !== undefined && (nullsNotDistinct || given[key] !== null)))
  return found && targetOf(found, table)
}

function targetOf ({ columns, where, nullsNotDistinct }: UniqueKey, table: TableStatements): ConflictTarget {
  return { codecs: columns.map((key) => findColumn(key, table.columns)), where, nullsNotDistinct }
}

/**
 * The key values of a new row, in the order of the target's columns.
 *
 * @throws ValidationError if a column of the key has no value, or NULL in a key that treats NULLs as distinct.
 */
export function keyValues ({ codecs, nullsNotDistinct }: ConflictTarget, valueOf: (codec: ColumnCodec) => unknown): unknown[] {
  return codecs.map((codec) => {
    const value = valueOf(codec)
    if (value === undefined || (value === null && !nullsNotDistinct)) {
      throw new ValidationError(`Column "${codec.key}" identifies the row: it needs a value`, about(codec))
    }
    return value
  })
}

/** The values of a new row's key. @throws ValidationError as {@link keyValues} */
export function keyIn (target: ConflictTarget, changes: readonly Change[]): unknown[] {
  return keyValues(target, (codec) => changes.find(([written]) => written === codec)?.[1])
}

/** The condition for the row with these values of a key. */
export function conflictCondition (target: ConflictTarget, values: readonly unknown[]): Condition {
  const parts = values.map((value, place): Condition => {
    const codec = target.codecs[place] as ColumnCodec
    return value === null ? { kind: 'test', codec, test: 'isNull', operands: [] } : compare(codec, 'eq', value)
  })
  return allOf(target.where === undefined ? parts : [...parts, { kind: 'own', sql: fixed(target.where) }])
}

/**
 * The row with the microseconds of the existing one in its key: PostgreSQL finds no conflict with a Date that lacks them.
 *
 * @throws ValidationError as {@link keyValues}, and for a value that does not fit
 */
export function withStoredTimes (given: GivenRow, target: ConflictTarget): GivenRow {
  const coarse = target.codecs.filter(({ key, coarse }) => coarse && given[key] instanceof Date)
  if (coarse.length === 0) return given
  const values = keyValues(target, ({ key }) => given[key]).map((value, place) => encode(target.codecs[place] as ColumnCodec, value))
  const same = toSql(conflictCondition(target, values))
  const stored = coarse.map(({ key, column }) => {
    const value = slot(values[target.codecs.findIndex((codec) => codec.key === key)])
    return [key, sql`coalesce((select ${column} from ${column.table} where ${same}), ${value})`] as const
  })
  return Object.assign(Object.create(null) as AnyRow, given, Object.fromEntries(stored)) as GivenRow
}

const fixedConditions = new WeakMap<SQL, SQL>()

/** The condition of an index never changes, so statements with it can be cached. */
function fixed (where: SQL): SQL {
  let condition = fixedConditions.get(where)
  if (condition === undefined) fixedConditions.set(where, condition = constant(sql`${where}`.inlineParams()))
  return condition
}
