/** The relations of Drizzle 0.45: a schema of tables and `relations()`. */
import * as drizzle from 'drizzle-orm'
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'
import type { ColumnPair, RelationalSchema, RelationalTable, TableRelation } from './relational-table.js'
import type { WriterSettings } from '../sql-writer.js'

/** The tables of a schema. */
export function relational045 ({ schema = {} }: WriterSettings): RelationalSchema {
  const { tables, tableNamesMap } = drizzle.extractTablesRelationalConfig(schema, drizzle.createTableRelationsHelpers)
  const known = (table: drizzle.Table): RelationalTable | undefined => {
    const config = tables[tableNamesMap[drizzle.getTableUniqueName(table)] as string]
    return config && {
      table: table as PgTable,
      primaryKey: config.primaryKey as PgColumn[],
      relation: (name) => Object.hasOwn(config.relations, name) ? relationOf(config.relations[name] as drizzle.Relation) : undefined,
      condition: (asked, { fields }) => called(asked, fields, drizzle.getOperators()),
      order: (asked, { fields }) => called(asked, fields, drizzle.getOrderByOperators())
    }
  }
  const relationOf = (relation: drizzle.Relation): TableRelation | undefined => {
    const target = known(relation.referencedTable)
    if (target === undefined) return undefined
    return {
      isMany: drizzle.is(relation, drizzle.Many),
      target,
      get pairs () {
        const { fields, references } = drizzle.normalizeRelation(tables, tableNamesMap, relation)
        return fields.map((column, place): ColumnPair => [column as PgColumn, references[place] as PgColumn])
      }
    }
  }
  const given = new Set(Object.values(schema))
  return {
    tables: Object.values(schema).filter((value): value is PgTable => drizzle.is(value, drizzle.Table)),
    find: (table) => given.has(table) ? known(table) : undefined
  }
}

/** Drizzle takes a value, or a function that returns it. */
function called (asked: unknown, fields: unknown, operators: unknown): unknown {
  return typeof asked === 'function' ? (asked as (fields: unknown, operators: unknown) => unknown)(fields, operators) : asked
}
