import { ValidationError } from '../../errors/errors.js'
import { allOf } from './condition.js'
import type { Condition } from './condition.js'
import { encode } from '../../values/encode-value.js'
import { isPlainObject } from '../../runtime/option-checks.js'
import { isSql } from '../../values/column-codec.js'
import { compare } from './time-conditions.js'
import type { ColumnCodec } from '../../values/column-codec.js'

interface KeyedTable {
  readonly name: string
  readonly primaryKey: readonly ColumnCodec[]
}

/**
 * Encodes the parts of a primary key, in the order of its columns.
 *
 * @throws ValidationError if one is missing, null, unknown or of the wrong type.
 */
export function encodeKey (id: unknown, { name, primaryKey }: KeyedTable): unknown[] {
  const [first] = primaryKey
  if (!isPlainObject(id) && id !== undefined && id !== null && first !== undefined && primaryKey.length === 1) return [encode(first, id)]
  const parts = isPlainObject(id) ? id : {}
  const wanted = primaryKey.map(({ key }) => key)
  const stranger = Object.keys(parts).find((key) => !wanted.includes(key))
  if (stranger !== undefined) throw incomplete(name, wanted)
  return primaryKey.map((codec) => {
    const part = Object.hasOwn(parts, codec.key) ? parts[codec.key] : undefined
    if (part === undefined || part === null) throw incomplete(name, wanted)
    return encode(codec, part)
  })
}

function incomplete (table: string, columns: readonly string[]): ValidationError {
  const words = columns.length === 1 ? `a value for "${columns.join()}"` : `an object of ${columns.map((key) => `"${key}"`).join(' and ')}`
  return new ValidationError(`The primary key is ${words}`, { context: { table, columns } })
}

/**
 * The condition for the row with a primary key. A Date finds the row from which it was read. Two rows whose keys differ by
 * microseconds are then read with equal keys, and PostgreSQL refuses a statement for the one or the other.
 */
export function keyCondition (id: unknown, table: KeyedTable): Condition {
  const { primaryKey } = table
  const values = encodeKey(id, table)
  const parts = primaryKey.map((codec, index) => compare(codec, 'eq', values[index]))
  if (!primaryKey.some(isCoarse)) return allOf(parts)
  const part = allOf(parts)
  return allOf(parts.map((exact, index) => {
    const codec = primaryKey[index] as ColumnCodec
    return codec.coarse && !isSql(values[index]) ? { kind: 'only', codec, part } : exact
  }))
}

function isCoarse ({ coarse }: ColumnCodec): boolean {
  return coarse
}
