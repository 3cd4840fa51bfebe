/**
 * The condition for the rows after a position in an order: a page by cursor.
 *
 * If all columns have one direction and none is nullable, the condition is one row comparison, and an index over the columns
 * starts at the position. Otherwise it compares column by column, after a bound on the first column from which an index can still
 * start. If NULLs of the first column come later, there is no such bound: no single range contains both.
 * https://www.postgresql.org/docs/current/functions-comparisons.html#ROW-WISE-COMPARISON
 */
import { allOf, anyOf, everything, nothing } from '../filter/condition.js'
import type { Condition } from '../filter/condition.js'
import type { OrderKey } from './order.js'
import type { ColumnCodec } from '../../values/column-codec.js'

/** A column of a total order, and whether it may be NULL. */
export interface KeysetKey extends OrderKey {
  readonly nullable: boolean
}

/** PostgreSQL's own texts of the columns of an order. */
export type Position = ReadonlyArray<string | null>

/** The order with the nullability of its columns. For a column without NULLs, the position of NULLs does not matter. */
export function keysetOf (order: readonly OrderKey[], primaryKey: readonly ColumnCodec[]): readonly KeysetKey[] {
  return order.map((key) => {
    const nullable = !key.codec.column.notNull && !primaryKey.includes(key.codec)
    return { ...key, nullable, nulls: nullable ? key.nulls : 'default' }
  })
}

/** The reversed order. */
export function reversed (keys: readonly KeysetKey[]): readonly KeysetKey[] {
  const opposite = { first: 'last', last: 'first', default: 'default' } as const
  return keys.map((key) => ({ ...key, direction: key.direction === 'asc' ? 'desc' : 'asc', nulls: opposite[key.nulls] }))
}

/** The condition for the rows after a position. */
export function behind (keys: readonly KeysetKey[], position: Position): Condition {
  const [first] = keys as [KeysetKey]
  const isPlain = keys.every(({ direction, nullable }) => direction === first.direction && !nullable)
  if (isPlain && keys.length > 1) return { kind: 'row', codecs: keys.map(({ codec }) => codec), test: comparisonOf(first), operands: position }
  return allOf([isPlain ? everything : bound(first, position[0] as string | null), columnByColumn(keys, position)])
}

function columnByColumn ([key, ...rest]: readonly KeysetKey[], [text, ...texts]: Position): Condition {
  if (key === undefined) return nothing
  return anyOf([further(key, text as string | null), allOf([same(key, text as string | null), columnByColumn(rest, texts)])])
}

function further (key: KeysetKey, text: string | null): Condition {
  if (text === null) return nullsCome(key, 'first') ? isNull(key, 'notNull') : nothing
  const beyond: Condition = { kind: 'test', codec: key.codec, test: comparisonOf(key), operands: [text] }
  return anyOf([beyond, key.nullable && nullsCome(key, 'last') ? isNull(key, 'isNull') : nothing])
}

function same (key: KeysetKey, text: string | null): Condition {
  return text === null ? isNull(key, 'isNull') : { kind: 'test', codec: key.codec, test: 'eq', operands: [text] }
}

function bound (key: KeysetKey, text: string | null): Condition {
  if (text === null || (key.nullable && nullsCome(key, 'last'))) return everything
  return { kind: 'test', codec: key.codec, test: key.direction === 'asc' ? 'gte' : 'lte', operands: [text] }
}

function isNull ({ codec }: KeysetKey, test: 'isNull' | 'notNull'): Condition {
  return { kind: 'test', codec, test, operands: [] }
}

function comparisonOf ({ direction }: OrderKey): 'gt' | 'lt' {
  return direction === 'asc' ? 'gt' : 'lt'
}

function nullsCome ({ direction, nulls }: OrderKey, place: 'first' | 'last'): boolean {
  return (nulls === 'default' ? (direction === 'desc' ? 'first' : 'last') : nulls) === place
}
