import type { SQL } from 'drizzle-orm'
import { UsageError, ValidationError } from '../../errors/errors.js'
import { plusOne, unlessSame } from '../../drizzle/constant-sql.js'
import { about, encode } from '../../values/encode-value.js'
import { findColumn } from '../table/find-column.js'
import { Increment, encodeIncrement, sumOf } from '../types/increment.js'
import { isSql } from '../../values/column-codec.js'
import type { ColumnCodec } from '../../values/column-codec.js'
import { slot } from '../table/statement-shape.js'
import type { Shape } from '../table/statement-shape.js'
import { notWritable, refuseGenerated } from './writable-columns.js'
import type { Writable } from './writable-columns.js'

/** A column and its new value: an encoded value, SQL, or in an update an {@link Increment}. */
export type Change = readonly [codec: ColumnCodec, value: unknown]

interface WritableTable {
  readonly codecs: readonly ColumnCodec[]
  readonly columns: ReadonlyMap<string, ColumnCodec>
  readonly version: ColumnCodec | undefined
  readonly generated: ReadonlySet<string>
}

/**
 * The values of a new row, in the order of the table: the given values, and the results of the table's functions (`$default`,
 * `$onUpdate`). PostgreSQL fills the other columns with their DEFAULT.
 *
 * @throws ValidationError naming a column whose value does not fit.
 */
export function rowOf (given: Readonly<Record<string, unknown>>, table: WritableTable): Change[] {
  const changes: Change[] = []
  for (const codec of table.codecs) {
    const value = newValue(given, codec)
    if (value !== undefined) changes.push([codec, value])
  }
  return changes
}

/** The encoded value of one column of a new row; undefined for PostgreSQL's DEFAULT. @throws ValidationError as {@link rowOf} */
export function newValue (given: Readonly<Record<string, unknown>>, codec: ColumnCodec): unknown {
  const value = given[codec.key]
  if (value !== undefined) {
    if (value instanceof Increment) throw new UsageError(`Column "${codec.key}" of a new row has nothing that could be incremented`, about(codec))
    return encode(codec, value)
  }
  const { defaultFn, onUpdateFn, default: hasDefault } = codec.column
  if (defaultFn !== undefined) return encode(codec, defaultFn() ?? null)
  return onUpdateFn !== undefined && !hasDefault ? encode(codec, onUpdateFn() ?? null) : undefined
}

/**
 * The changes of an update, in the order of the table: the given values, the results of `$onUpdate`, and the version plus one.
 * Without given values there are no changes.
 *
 * @throws ValidationError naming a column whose value does not fit.
 */
export function changesOf (given: Readonly<Record<string, unknown>>, table: WritableTable): Change[] {
  return Object.keys(given).length === 0 ? [] : changesWith(given, table)
}

/** Like {@link changesOf}, for an update that always writes. */
export function changesWith (given: Readonly<Record<string, unknown>>, table: WritableTable): Change[] {
  const changes: Change[] = []
  for (const codec of table.codecs) {
    const { column } = codec
    const value = given[codec.key]
    if (value instanceof Increment) {
      changes.push([codec, encodeIncrement(codec, value)])
    } else if (value !== undefined) {
      changes.push([codec, newTime(codec, value)])
    } else if (codec === table.version) {
      changes.push([codec, plusOne(column)])
    } else if (column.onUpdateFn !== undefined) {
      changes.push([codec, encode(codec, column.onUpdateFn() ?? null)])
    }
  }
  return changes
}

/** The new value of a column. A Date leaves the microseconds of the row from which it was read. */
function newTime (codec: ColumnCodec, value: unknown): unknown {
  const encoded = encode(codec, value)
  return codec.coarse && value instanceof Date ? unlessSame(codec.column, slot(encoded)) : encoded
}

/**
 * Copies the given values into a new object, without `undefined`. With `writable`, only its columns are allowed.
 *
 * @throws ValidationError naming a column that is unknown or may not be written.
 */
export function givenValues (values: unknown, table: WritableTable, writable?: Writable): Record<string, unknown> {
  if (!isRecord(values)) throw new ValidationError(noRow)
  const given: Record<string, unknown> = Object.create(blank)
  const keys = Object.keys(values)
  // An unawaited promise, a Map or a Date would otherwise pass as a row without values.
  if (keys.length === 0 && Object.prototype.toString.call(values) !== '[object Object]') throw new ValidationError(noRow)
  for (const key of keys) {
    const value = values[key]
    const mayBeWritten = writable === undefined || writable.keys.has(key)
    if (!mayBeWritten && writable.others === 'drop') continue
    const codec = findColumn(key, table.columns)
    if (value === undefined) continue
    refuseGenerated(codec, table)
    if (!mayBeWritten) throw notWritable(codec)
    given[key] = value
  }
  return given
}

function isRecord (values: unknown): values is Readonly<Record<string, unknown>> {
  return typeof values === 'object' && values !== null && !Array.isArray(values) && !isSql(values)
}

const noRow = 'The values of a row are an object { column: value }, not a list, a promise or an object of another kind'

/** An empty prototype: faster than no prototype. */
const blank = Object.freeze(Object.create(null))

/** Adds changes to the shape of a call. */
export function collectChanges (changes: readonly Change[], shape: Shape): void {
  for (const [codec, value] of changes) {
    if (value instanceof Increment) {
      shape.key += `${codec.index}+`
      shape.values.push(value.by)
    } else {
      shape.key += `${codec.index}=`
      shape.add(value)
    }
  }
  shape.key += ';'
}

/** The SQL of a change's new value. */
export function changeSql ([codec, value]: Change): SQL {
  return value instanceof Increment ? sumOf(codec, value) : slot(value)
}
