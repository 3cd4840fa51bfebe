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
 * The given order, followed by the primary key: a list without a total order loses rows between its pages. Its SQL is made when it is read,
 * which only a statement of a new shape does.
 *
 * @throws ValidationError for an unknown column, or an invalid order.
 */
export function parseOrder (orderBy: unknown, table: OrderedTable, shape: Shape): () => readonly SQL[] {
  if (isPlainObject(orderBy) || orderBy === undefined) {
    const keys = parseOrderKeys(orderBy, table, shape)
    return () => keys.map(orderSql)
  }
  const order = [orderBy].flat().map((expression) => parseOrderExpression(expression, shape))
  return () => [...order, ...table.primaryKey.map(({ column }) => sql`${column}`)]
}

/** The same for an order by columns only. The primary key has the direction of the column before it, so that one index serves them all. */
export function parseOrderKeys (orderBy: Readonly<Record<string, unknown>> = {}, { columns, primaryKey }: OrderedTable, shape: Shape): readonly OrderKey[] {
  const keys: OrderKey[] = []
  let direction: Direction = 'asc'
  for (const name of Object.keys(orderBy)) {
    const key = parseOrderKey(findColumn(name, columns), orderBy[name])
    direction = key.direction
    shape.key += `${key.codec.index}${direction} ${key.nulls},`
    keys.push(key)
  }
  for (const codec of primaryKey) if (!keys.some((key) => key.codec === codec)) keys.push({ codec, direction, nulls: 'default' })
  return keys
}

function parseOrderKey (codec: ColumnCodec, value: unknown): OrderKey {
  if (value === 'asc' || value === 'desc') return { codec, direction: value, nulls: 'default' }
  const { direction, nulls = 'default', ...others }: Record<string, unknown> = isPlainObject(value) ? value : {}
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
