/** The relations of Drizzle 1.0: the result of `defineRelations()`. */
import * as drizzle from 'drizzle-orm'
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core'
import type * as Drizzle1 from 'drizzle-orm-1'
import type { SQLChunk } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'
import { isPlainObject } from '../../runtime/option-checks.js'
import { RelationalMisuse } from './relational-misuse.js'
import type { ColumnPair, RelationalSchema, RelationalTable, TableRelation } from './relational-table.js'
import type { WriterSettings } from '../sql-writer.js'

const { relationsFilterToSQL, relationsOrderToSQL } = drizzle as unknown as typeof Drizzle1

type Filter = Parameters<typeof relationsFilterToSQL>[1]

/** The tables of relations, or those of a schema, without relations. */
export function relational1 ({ schema, relations }: WriterSettings): RelationalSchema {
  const { defineRelations } = drizzle as unknown as typeof Drizzle1
  const configs = (relations ?? defineRelations(schema ?? {})) as Drizzle1.AnyRelations
  const tableOf = (config: Drizzle1.TableRelationalConfig | undefined): RelationalTable | undefined => {
    // A relation may lead to a view, which has no key.
    if (config === undefined || !isTable(config.table)) return undefined
    const { table } = config
    return {
      table,
      primaryKey: keyOf(table),
      relation: (name) => Object.hasOwn(config.relations, name) ? relationOf(config.relations[name] as Drizzle1.AnyRelation) : undefined,
      condition: (asked, { alias }) => {
        // Drizzle ignores a condition without properties, such as a function.
        if (asked !== undefined && !isPlainObject(asked)) throw new RelationalMisuse('Drizzle 1.0 takes an object, in which SQL and functions are { RAW: … }')
        return written(asked, (filter) => relationsFilterToSQL(aliased(table, alias), filter as Filter, config.relations, configs, undefined).sql)
      },
      order: (asked, { alias }) => {
        if (asked !== undefined && typeof asked !== 'function' && !isPlainObject(asked)) throw new RelationalMisuse('Drizzle 1.0 takes an object or a function')
        return written(asked, (order) => relationsOrderToSQL(aliased(table, alias), order as Drizzle1.OrderBy, config.relations, configs, undefined))
      }
    }
  }
  const relationOf = (relation: Drizzle1.AnyRelation): TableRelation | undefined => {
    const target = tableOf(configs[relation.targetTableName])
    if (target === undefined) return undefined
    const { sourceTable, sourceColumns, targetColumns, through, throughTable, where, isFilterReversed } = relation
    return {
      isMany: relation.relationType === 'many',
      target,
      get pairs () {
        const far = through === undefined ? columnsOf(target.table, targetColumns) : columnsOf(throughTable, through.source)
        return pairsOf(columnsOf(sourceTable, sourceColumns), far)
      },
      get junction () {
        if (through === undefined) return undefined
        return { table: throughTable as unknown as PgTable, pairs: pairsOf(columnsOf(throughTable, through.target), columnsOf(target.table, targetColumns)) }
      },
      condition: { of: isFilterReversed === true ? 'own' : 'related', sql: (table, alias) => sqlOf(relationsFilterToSQL(aliased(table, alias), where as Filter).sql) }
    }
  }
  const tables = Object.values(configs)
  return {
    tables: tables.map(({ table }) => table as unknown as PgTable).filter(isTable),
    find: (table) => tableOf(tables.find((config) => config.table as unknown === table))
  }
}

function isTable (entry: unknown): entry is PgTable & Drizzle1.SchemaEntry {
  return drizzle.is(entry, PgTable)
}

function aliased (table: PgTable, alias: string | undefined): Drizzle1.SchemaEntry {
  return (alias === undefined ? table : drizzle.aliasedTable(table, alias)) as unknown as Drizzle1.SchemaEntry
}

function keyOf (table: PgTable): PgColumn[] {
  const { columns, primaryKeys } = getTableConfig(table)
  return primaryKeys[0]?.columns ?? columns.filter(({ primary }) => primary)
}

/** The columns that `defineRelations` describes by their keys. */
function columnsOf (table: unknown, described: ReadonlyArray<{ readonly _: { readonly key: string } }>): PgColumn[] {
  const columns = drizzle.getTableColumns(table as PgTable) as Record<string, PgColumn>
  return described.map(({ _: { key } }) => columns[key] as PgColumn)
}

function pairsOf (from: readonly PgColumn[], to: readonly PgColumn[]): ColumnPair[] {
  return from.map((column, place) => [column, to[place] as PgColumn])
}

/** The SQL of an option. Drizzle throws for an unknown key or value; the errors of the program's own functions stay as they are. */
function written (asked: unknown, make: (asked: unknown) => unknown): unknown {
  if (asked === undefined) return asked
  const own: unknown[] = []
  try {
    return sqlOf(make(noting(asked, own)))
  } catch (error) {
    throw own.includes(error) ? error : new RelationalMisuse((error as Error).message, { cause: error })
  }
}

/** The same option, whose functions add their errors to a list. */
function noting (asked: unknown, errors: unknown[]): unknown {
  if (Array.isArray(asked)) return asked.map((each) => noting(each, errors))
  if (isPlainObject(asked)) return Object.fromEntries(Object.entries(asked).map(([key, value]) => [key, noting(value, errors)]))
  if (typeof asked !== 'function') return asked
  return (...given: unknown[]) => {
    try {
      return asked(...given)
    } catch (error) {
      errors.push(error)
      throw error
    }
  }
}

function sqlOf (chunks: unknown): drizzle.SQL | undefined {
  return chunks === undefined ? undefined : new drizzle.SQL(chunks as SQLChunk[])
}
