import { Many, and, getTableColumns, getTableUniqueName, is, isNull } from 'drizzle-orm'
import type { Column, SQL, TableRelationalConfig, TablesRelationalConfig } from 'drizzle-orm'
import { UsageError, ValidationError } from '../errors/errors.js'
import { markOf } from '../model/mark.js'
import { isCount } from './page.js'
import { isPlainObject } from './filter.js'
import type { PgColumn } from 'drizzle-orm/pg-core'

/** The tables of a schema, as Drizzle describes them. */
export interface RelationalSchema {
  readonly schema: TablesRelationalConfig
  readonly tableNamesMap: Readonly<Record<string, string>>
}

/** How related rows are read. */
export interface RelatedSight {
  readonly tables: RelationalSchema
  readonly seesDeleted: boolean
  readonly maxLimit: number
}

type Callback = (fields: Record<string, PgColumn>, operators: unknown) => unknown

const known = new Set(['columns', 'with', 'where', 'orderBy', 'limit', 'extras'])

/**
 * The relations asked for, as Drizzle is told: deleted rows are left out, and lists have a total order.
 *
 * @throws UsageError for a relation or an option that there is none.
 */
export function relationalConfig (asked: unknown, table: TableRelationalConfig, sight: RelatedSight): Record<string, object> {
  if (!isPlainObject(asked)) throw new UsageError('Relations are an object { relation: true | { columns, with, where, orderBy, limit, extras } }')
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined && value !== false).map(([name, value]) => [name, nested(name, value, { table, sight })]))
}

/** What a row is related to that is gone: nothing. */
export function nothingRelated (nested: Readonly<Record<string, object>>, table: TableRelationalConfig): Record<string, unknown> {
  return Object.fromEntries(Object.keys(nested).map((name) => [name, is(table.relations[name], Many) ? [] : null]))
}

function nested (name: string, asked: unknown, { table, sight }: { table: TableRelationalConfig, sight: RelatedSight }): object {
  const relation = Object.hasOwn(table.relations, name) ? table.relations[name] : undefined
  const target = relation && sight.tables.schema[sight.tables.tableNamesMap[getTableUniqueName(relation.referencedTable)] as string]
  if (relation === undefined || target === undefined) throw new UsageError(`Table "${table.dbName}" has no relation "${name.slice(0, 63)}" in the schema`)
  const given = asked === true ? {} : asked
  if (!isPlainObject(given)) throw new UsageError(`Relation "${name}" takes true or an object of ${[...known].join(', ')}`)
  const stranger = Object.keys(given).find((key) => !known.has(key))
  if (stranger !== undefined) throw new UsageError(`Relation "${name}" has no option "${stranger.slice(0, 63)}": use ${[...known].join(', ')}`)
  const { with: deeper, where, orderBy, limit, ...rest } = given
  const hidden = sight.seesDeleted ? undefined : softDeleteOf(getTableColumns(relation.referencedTable) as Record<string, PgColumn>)
  return {
    ...rest,
    ...(deeper !== undefined && { with: relationalConfig(deeper, target, sight) }),
    ...((where !== undefined || hidden !== undefined) && { where: (fields: Record<string, PgColumn>, operators: unknown) => and(called(where, fields, operators) as SQL, hidden === undefined ? undefined : isNull(fields[hidden] as Column)) }),
    ...(is(relation, Many) && { orderBy: (fields: Record<string, PgColumn>, operators: unknown) => [...[called(orderBy, fields, operators) ?? []].flat(), ...target.primaryKey] }),
    ...(limit !== undefined && { limit: limitOf(limit, name, sight.maxLimit) })
  }
}

/** Drizzle takes a value, or a function that makes it. */
function called (given: unknown, fields: Record<string, PgColumn>, operators: unknown): unknown {
  return typeof given === 'function' ? (given as Callback)(fields, operators) : given
}

function softDeleteOf (columns: Readonly<Record<string, PgColumn>>): string | undefined {
  return Object.keys(columns).find((key) => markOf(columns[key] as PgColumn).softDelete?.filter === true)
}

function limitOf (limit: unknown, name: string, maxLimit: number): number {
  if (!isCount(limit) || limit > maxLimit) throw new ValidationError(`"limit" of relation "${name}" is a whole number from 0 to ${maxLimit}`)
  return limit
}
