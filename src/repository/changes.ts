import type { SQL } from 'drizzle-orm'
import { UsageError, ValidationError } from '../errors/errors.js'
import { plusOne } from '../model/constant.js'
import { about, encode } from './encode.js'
import { findColumn } from './filter.js'
import { Increment, encodeIncrement, sumOf } from './increment.js'
import { isSql } from './rows.js'
import type { ColumnCodec } from './rows.js'
import { slot } from './shape.js'
import type { Shape } from './shape.js'
import { notWritable, refuseGenerated } from './writable.js'
import type { Writable } from './writable.js'

/** A column and what is written into it: an encoded value, SQL, or in an update an {@link Increment}. */
export type Change = readonly [codec: ColumnCodec, value: unknown]

interface WritableTable {
  readonly codecs: readonly ColumnCodec[]
  readonly columns: ReadonlyMap<string, ColumnCodec>
  readonly version: ColumnCodec | undefined
  readonly generated: ReadonlySet<string>
}

/**
 * What a new row is made of, in the order of the table: the given values, and those that the table's functions
 * (`$default`, `$onUpdate`) make for it. For the others PostgreSQL has its DEFAULT.
 *
 * @throws ValidationError naming the column that is given a value that does not fit.
 */
export function rowOf (given: Readonly<Record<string, unknown>>, table: WritableTable): Change[] {
  const changes: Change[] = []
  for (const codec of table.codecs) {
    const value = newValue(given, codec)
    if (value !== undefined) changes.push([codec, value])
  }
  return changes
}

/** What a new row has in a column, encoded; undefined where PostgreSQL decides. @throws ValidationError as {@link rowOf} */
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
 * What an update changes, in the order of the table: the given values, what `$onUpdate` makes, and the version counted up.
 * Without a given value nothing.
 *
 * @throws ValidationError naming the column that is given a value that does not fit.
 */
export function changesOf (given: Readonly<Record<string, unknown>>, table: WritableTable): Change[] {
  return Object.keys(given).length === 0 ? [] : changesWith(given, table)
}

/** As {@link changesOf}, where something is written in any case. */
export function changesWith (given: Readonly<Record<string, unknown>>, table: WritableTable): Change[] {
  const changes: Change[] = []
  for (const codec of table.codecs) {
    const { column } = codec
    const value = given[codec.key]
    if (value instanceof Increment) {
      changes.push([codec, encodeIncrement(codec, value)])
    } else if (value !== undefined) {
      changes.push([codec, encode(codec, value)])
    } else if (codec === table.version) {
      changes.push([codec, plusOne(column)])
    } else if (column.onUpdateFn !== undefined) {
      changes.push([codec, encode(codec, column.onUpdateFn() ?? null)])
    }
  }
  return changes
}

/**
 * The values given, in an object of their own; `undefined` is not given. With `writable` only its columns may be.
 *
 * @throws ValidationError naming the column that is unknown or not to be written.
 */
export function givenValues (values: unknown, table: WritableTable, writable?: Writable): Record<string, unknown> {
  if (typeof values !== 'object' || values === null || Array.isArray(values) || isSql(values)) throw new ValidationError(noRow)
  const given: Record<string, unknown> = Object.create(blank)
  const keys = Object.keys(values)
  // A promise that nobody has awaited, a Map or a Date would be a row without values.
  if (keys.length === 0 && Object.prototype.toString.call(values) !== '[object Object]') throw new ValidationError(noRow)
  for (const key of keys) {
    const value: unknown = values[key as never]
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

const noRow = 'The values of a row are an object { column: value }, not a list, a promise or an object of another kind'

/** Inherits nothing; and to inherit from it is faster than to have no prototype at all. */
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

/** What a change writes into its column. */
export function changeSql ([codec, value]: Change): SQL {
  return value instanceof Increment ? sumOf(codec, value) : slot(value)
}
