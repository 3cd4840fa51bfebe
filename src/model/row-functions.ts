import { inspect } from 'node:util'
import { Table } from 'drizzle-orm'
import type { InferSelectModel } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import { UsageError } from '../errors/errors.js'
import { isOptions } from '../runtime/option-checks.js'
import { checkCall } from '../errors/check-call.js'
import { isEntity } from '../drizzle/entity.js'
import { columnsOf, qualifiedName } from './table.js'

/** The JSON type of a value: dates, bigints and bytes are strings. */
export type JsonOf<Value> =
  Value extends Date | bigint | Uint8Array ? string
    : Value extends string | number | boolean | null | undefined ? Value
      : Value extends ReadonlyArray<infer Item> ? Array<JsonOf<Item>>
        : Value extends object ? { [Key in keyof Value]: JsonOf<Value[Key]> }
          : unknown

/** The options of {@link toDict}. */
export interface DictOptions<Column extends PropertyKey = string, Other extends PropertyKey = string> {
  /** Columns to leave out. */
  readonly omit?: readonly Column[]
  /** Properties of the row to add that are not columns of its table: joined rows, computed values. */
  readonly include?: readonly Other[]
}

type ColumnOf<T extends PgTable> = keyof InferSelectModel<T> & string

/**
 * Tells whether a row of a table with `softDelete()` is deleted.
 *
 * @throws {@link UsageError} for anything but a row, and for a row that was read without its `deletedAt`.
 */
export function isDeleted (row: { readonly deletedAt: Date | string | null }): boolean {
  checkRow(row)
  if (row.deletedAt === undefined) throw new UsageError('The row has no deletedAt: read it with that column')
  if (row.deletedAt === null) return false
  if (typeof row.deletedAt === 'string' || row.deletedAt instanceof Date) return true
  throw new UsageError('The deletedAt of a row is a date, a text or null: give a row that was read')
}

/**
 * Converts a row to JSON values: its columns in the order of the table, dates as ISO strings, bigints as decimal strings,
 * bytes as base64, at any depth of arrays and JSON columns. Other properties are left out unless included.
 *
 * @example
 * ```ts
 * toDict(users, user, { omit: ['passwordHash'] })
 * ```
 * @throws {@link UsageError} for a name in `omit` that is not a column, since a typing mistake there would publish a value; for an
 * invalid table, row or option, and for a value that contains itself.
 */
export function toDict<
  T extends PgTable, Row extends Partial<InferSelectModel<T>>, Omitted extends ColumnOf<T> = never,
  Included extends Exclude<keyof Row, ColumnOf<T>> & string = never
> (
  table: T,
  row: Row,
  options: DictOptions<Omitted, Included> = {}
): { [Key in Exclude<keyof Row & ColumnOf<T>, Omitted> | Included]: JsonOf<Row[Key]> } {
  const columns = columnsOf(table)
  checkRow(row)
  checkCall('toDict()', options, { omit: names, include: names })
  const { omit = [], include = [] } = options
  const unknown = omit.find((key) => !Object.hasOwn(columns, key))
  if (unknown !== undefined) throw new UsageError(`Table "${qualifiedName(table)}" has no column "${unknown}" to omit`)

  const hidden = new Set<string>(omit)
  const keys = [...Object.keys(columns).filter((key) => !hidden.has(key)), ...include]
  const entries = keys.filter((key) => Object.hasOwn(row, key)).map((key) => [key, Reflect.get(row, key)] as const)
  return jsonOf(Object.fromEntries(entries), []) as ReturnType<typeof toDict<T, Row, Omitted, Included>> // the keys were chosen one by one
}

/**
 * Formats a row in one line for debugging: `users(id=1, name='John')`. It shows values: keep it out of logs that others read.
 *
 * @throws {@link UsageError} for an invalid table or row
 */
export function inspectRow<T extends PgTable> (table: T, row: Partial<InferSelectModel<T>>): string {
  const keys = Object.keys(columnsOf(table))
  checkRow(row)
  const cells = keys
    .filter((key) => Object.hasOwn(row, key))
    .map((key) => `${key}=${inspect(Reflect.get(row, key), { depth: 2, breakLength: Infinity, maxStringLength: 200 })}`)
  return `${qualifiedName(table)}(${cells.join(', ')})`
}

const names = [(value: unknown) => Array.isArray(value) && value.every((name) => typeof name === 'string'), 'must be an array of names'] as const

function checkRow (row: unknown): void {
  if (!isOptions(row) || isEntity(row, Table)) throw new UsageError('A row is an object { column: value }: not a list of rows, none, or the promise of one')
}

/** @param around the objects and arrays that contain the value */
function jsonOf (value: unknown, around: readonly unknown[]): unknown {
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
  if (around.includes(value)) throw new UsageError('The row holds a value that holds itself, which JSON cannot: leave it out with omit')
  const inside = [...around, value]
  if ('toJSON' in value && typeof value.toJSON === 'function') return jsonOf(value.toJSON(), inside)
  if (Array.isArray(value)) return value.map((item) => jsonOf(item, inside))
  return Object.fromEntries(Object.entries(value).filter(([, nested]) => nested !== undefined).map(([key, nested]) => [key, jsonOf(nested, inside)]))
}
