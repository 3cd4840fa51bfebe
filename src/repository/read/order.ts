import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { ValidationError } from '../../errors/errors.js'
import { about } from '../../values/encode-value.js'
import { isPlainObject } from '../../runtime/option-checks.js'
import { findColumn } from '../table/find-column.js'
import { isColumn, isSql } from '../../values/column-codec.js'
import type { ColumnCodec } from '../../values/column-codec.js'
import type { Shape } from '../table/statement-shape.js'
import type { Direction } from '../types/filters.js'

/** One column of an order. */
export interface OrderKey {
  readonly codec: ColumnCodec
  readonly direction: Direction
  /** By `default` PostgreSQL sorts NULL as larger than every value. */
  readonly nulls: 'first' | 'last' | 'default'
}

interface OrderedTable {
  readonly columns: ReadonlyMap<string, ColumnCodec>
  readonly primaryKey: readonly ColumnCodec[]
}

/**
 * The given order, followed by the primary key: a list without a total order loses rows between its pages.
 *
 * @throws ValidationError for an unknown column, or an invalid order.
 */
export function parseOrder (orderBy: unknown, table: OrderedTable, shape: Shape): readonly SQL[] {
  if (isPlainObject(orderBy) || orderBy === undefined) return parseOrderKeys(orderBy, table, shape).map(orderSql)
  const order = [orderBy].flat().map((expression) => parseOrderExpression(expression, shape))
  return [...order, ...table.primaryKey.map(({ column }) => sql`${column}`)]
}

/** The same for an order by columns only. The primary key has the direction of the column before it, so that one index serves them all. */
export function parseOrderKeys (orderBy: Readonly<Record<string, unknown>> = {}, { columns, primaryKey }: OrderedTable, shape: Shape): readonly OrderKey[] {
  const keys = Object.entries(orderBy).map(([key, value]) => parseOrderKey(findColumn(key, columns), value))
  for (const { codec, direction, nulls } of keys) shape.key += `${codec.index}${direction} ${nulls},`
  const ordered = new Set(keys.map(({ codec }) => codec))
  const direction = keys.at(-1)?.direction ?? 'asc'
  const rest = primaryKey.filter((codec) => !ordered.has(codec))
  return [...keys, ...rest.map((codec) => ({ codec, direction, nulls: 'default' as const }))]
}

function parseOrderKey (codec: ColumnCodec, value: unknown): OrderKey {
  const { direction, nulls = 'default', ...others }: Record<string, unknown> = isPlainObject(value) ? value : { direction: value }
  if (Object.keys(others).length > 0 || (direction !== 'asc' && direction !== 'desc') || (nulls !== 'first' && nulls !== 'last' && nulls !== 'default')) {
    throw new ValidationError(
      `Column "${codec.key}" in "orderBy": write 'asc', 'desc' or { direction: 'asc' | 'desc', nulls: 'first' | 'last' }`,
      about(codec)
    )
  }
  return { codec, direction, nulls }
}

const directions = { asc: sql``, desc: sql` desc` }
const nullOrders = { first: sql` nulls first`, last: sql` nulls last`, default: sql`` }

/** One column of ORDER BY. */
export function orderSql ({ codec, direction, nulls }: OrderKey): SQL {
  return sql`${codec.column}${directions[direction]}${nullOrders[nulls]}`
}

function parseOrderExpression (expression: unknown, shape: Shape): SQL {
  if (!isSql(expression) && !isColumn(expression)) {
    throw new ValidationError('"orderBy" takes an object { column: \'asc\' | \'desc\' } or Drizzle\'s columns and expressions')
  }
  const own = sql`${expression}`
  shape.addOwn(own)
  return own
}
