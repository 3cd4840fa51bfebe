/**
 * The wanted relations as a tree. Names and options are those of Drizzle's relational queries.
 * https://orm.drizzle.team/docs/rqb
 */
import { getTableColumns, getTableName, sql, SQL } from 'drizzle-orm'
import { markOf } from '../../drizzle/column-mark.js'
import { isEntity } from '../../drizzle/entity.js'
import { RelationalMisuse } from '../../drizzle/relations/relational-misuse.js'
import { UsageError, ValidationError } from '../../errors/errors.js'
import { isCount, isPlainObject } from '../../runtime/option-checks.js'
import { isColumn, isSql } from '../../values/column-codec.js'
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'
import type { AliasedRow, RelationalTable, TableRelation } from '../../drizzle/relations/relational-table.js'

/** The settings for reading related rows. */
export interface RelatedSettings {
  readonly seesDeleted: boolean
  readonly maxLimit: number
}

/** The columns that a condition, an order or an expression gets. */
export type Fields = Readonly<Record<string, PgColumn>>

/** A relation with its own relations. */
export interface RelatedPart {
  /** The name of the relation. */
  readonly name: string
  readonly relation: TableRelation
  readonly table: PgTable
  /** The columns of each row, by property name. */
  readonly columns: ReadonlyArray<readonly [key: string, column: PgColumn]>
  /** Expressions besides the columns. */
  readonly extras: (fields: Fields) => ReadonlyArray<readonly [key: string, expression: SQL]>
  readonly where: (row: AliasedRow) => SQL | undefined
  readonly orderBy: (row: AliasedRow) => ReadonlyArray<SQL | PgColumn>
  /** The last keys of each order. */
  readonly primaryKey: readonly PgColumn[]
  /** The `softDelete()` column, if deleted rows are hidden. */
  readonly hidden: PgColumn | undefined
  readonly limit: number | undefined
  readonly parts: readonly RelatedPart[]
}

const known = new Set(['columns', 'with', 'where', 'orderBy', 'limit', 'extras'])

/**
 * Reads the wanted relations of a table.
 *
 * @throws UsageError for an unknown relation or option.
 */
export function relatedParts (asked: unknown, table: RelationalTable, settings: RelatedSettings): RelatedPart[] {
  if (!isPlainObject(asked)) throw new UsageError('Relations are an object { relation: true | { columns, with, where, orderBy, limit, extras } }')
  return Object.entries(asked).filter(([, value]) => value !== undefined && value !== false).map(([name, value]) => partOf(name, value, { table, settings }))
}

/** The related rows of a row that no longer exists: none. */
export function nothingRelated (parts: readonly RelatedPart[]): Record<string, unknown> {
  return Object.fromEntries(parts.map(({ name, relation }) => [name, relation.isMany ? [] : null]))
}

function partOf (name: string, asked: unknown, { table, settings }: { table: RelationalTable, settings: RelatedSettings }): RelatedPart {
  const relation = table.relation(name)
  if (relation === undefined) throw new UsageError(`Table "${getTableName(table.table)}" has no relation "${name.slice(0, 63)}" in the schema`)
  const given = asked === true ? {} : asked
  if (!isPlainObject(given)) throw new UsageError(`Relation "${name}" takes true or an object of ${[...known].join(', ')}`)
  const unknown = Object.keys(given).find((key) => !known.has(key))
  if (unknown !== undefined) throw new UsageError(`Relation "${name}" has no option "${unknown.slice(0, 63)}": use ${[...known].join(', ')}`)
  const { columns, with: deeper, where, orderBy, limit, extras } = given
  const { target } = relation
  const fields = getTableColumns(target.table) as Record<string, PgColumn>
  return {
    name,
    relation,
    table: target.table,
    columns: columnsOf(columns, fields, name),
    extras: (fields) => extrasOf(called(extras, fields), name, fields),
    where: (row) => conditionOf(read('where', name, () => target.condition(where, row)), name),
    orderBy: (row) => orderOf(read('orderBy', name, () => target.order(orderBy, row)), name),
    primaryKey: target.primaryKey,
    hidden: settings.seesDeleted ? undefined : Object.values(fields).find((column) => markOf(column).softDelete?.filter === true),
    limit: limit === undefined ? undefined : limitOf(limit, name, settings.maxLimit),
    parts: deeper === undefined ? [] : relatedParts(deeper, target, settings)
  }
}

/** The columns as in Drizzle: those that are true, or else all except those that are false. */
function columnsOf (asked: unknown, fields: Fields, name: string): Array<[string, PgColumn]> {
  const all = Object.entries(fields)
  if (asked === undefined) return all
  const chosen = isPlainObject(asked) ? Object.entries(asked).filter(([, value]) => value !== undefined) : undefined
  if (chosen?.every(([, value]) => typeof value === 'boolean') !== true) throw new UsageError(`"columns" of relation "${name}" is an object { column: true }`)
  const unknown = chosen.find(([key]) => !Object.hasOwn(fields, key))
  if (unknown !== undefined) throw new UsageError(`"columns" of relation "${name}": unknown column "${unknown[0].slice(0, 63)}"`)
  const wanted = chosen.filter(([, value]) => value === true).map(([key]) => key)
  if (wanted.length > 0) return wanted.map((key) => [key, fields[key] as PgColumn])
  return chosen.length === 0 ? [] : all.filter(([key]) => !chosen.some(([other]) => other === key))
}

/** Drizzle takes a value, or a function that returns it. */
function called (given: unknown, fields: Fields): unknown {
  return typeof given === 'function' ? (given as (fields: Fields, operators: unknown) => unknown)(fields, { sql }) : given
}

function extrasOf (extras: unknown, name: string, fields: Fields): Array<[string, SQL]> {
  if (extras === undefined) return []
  const entries = isPlainObject(extras)
    ? Object.entries(extras).map(([key, given]) => [key, expressionOf(called(given, fields))] as const)
    : undefined
  if (entries?.every((entry): entry is [string, SQL] => isSql(entry[1])) !== true) {
    throw new UsageError(`"extras" of relation "${name}" is an object { key: sql\`…\`.as('key') }`)
  }
  return entries
}

function expressionOf (value: unknown): unknown {
  return isEntity(value, SQL.Aliased) ? value.sql : value
}

/** The SQL of an option that Drizzle reads. */
function read (option: string, name: string, make: () => unknown): unknown {
  try {
    return make()
  } catch (error) {
    throw error instanceof RelationalMisuse ? new UsageError(`"${option}" of relation "${name}": ${error.message}`) : error
  }
}

function conditionOf (where: unknown, name: string): SQL | undefined {
  if (where !== undefined && !isSql(where)) throw new UsageError(`"where" of relation "${name}" is a Drizzle condition`)
  return where
}

function orderOf (orderBy: unknown, name: string): Array<SQL | PgColumn> {
  const orders: unknown[] = orderBy === undefined ? [] : [orderBy].flat()
  if (!orders.every((order): order is SQL | PgColumn => isSql(order) || isColumn(order))) {
    throw new UsageError(`"orderBy" of relation "${name}" is a column, asc() or desc() of one, or a list of them`)
  }
  return orders
}

function limitOf (limit: unknown, name: string, maxLimit: number): number {
  if (!isCount(limit) || limit > maxLimit) throw new ValidationError(`"limit" of relation "${name}" is a whole number from 0 to ${maxLimit}`)
  return limit
}
