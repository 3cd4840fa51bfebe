/**
 * What is related to rows that were read: one of Drizzle's relational queries over their keys, in a statement of its own.
 *
 * The one file that knows of the insides of those queries.
 */
import { Placeholder, SQL, is, mapRelationalRow, sql } from 'drizzle-orm'
import type { BuildRelationalQueryResult, TableRelationalConfig } from 'drizzle-orm'
import { UsageError } from '../errors/errors.js'
import { encodeKey } from './key.js'
import { nothingRelated, relationalConfig } from './relational-config.js'
import { parserOf } from './driver-values.js'
import type { AnyRow } from './answers.js'
import type { RelatedSight, RelationalSchema } from './relational-config.js'
import type { RowReader, Statement, StatementContext } from '../session/statement.js'
import type { TableStatements } from './statements.js'

interface Built {
  readonly sql: SQL
  readonly selection: BuildRelationalQueryResult['selection']
}

/** Which relations of which table. */
export interface RelatedAsked {
  readonly relations: unknown
  readonly seesDeleted: boolean
}

/** The parameters of each statement that was built, told apart by its context: Drizzle adds some of its own to the keys, whose places are held. */
const parameters = new WeakMap<StatementContext, unknown[]>()

/** A statement, and what is to be thought of a row that it does not find any more. */
export interface RelatedSelection {
  readonly statement: Statement
  readonly nothing: () => Record<string, unknown>
}

/** The statement that reads, for each of these rows, its key and what is related to it. */
export function selectRelated (table: TableStatements, rows: readonly AnyRow[], { relations, seesDeleted }: RelatedAsked): RelatedSelection {
  const { builder, primaryKey } = table
  const { key, config } = registered(table)
  const tables = builder.drizzle._ as unknown as RelationalSchema // Drizzle describes the schema that it was given
  const sight: RelatedSight = { tables, seesDeleted, maxLimit: builder.limits.maxLimit }
  const nested = relationalConfig(relations, config, sight)
  const lossy = primaryKey.find(({ column }) => column.columnType === 'PgTimestamp')
  if (lossy !== undefined) throw new UsageError(`Column "${lossy.key}": a key of times is not found again by a Date, which has less digits: declare it with { mode: 'string' }`)
  const keys = rows.map((row) => encodeKey(Object.fromEntries(primaryKey.map(({ key }) => [key, row[key]])), table))
  const lists = primaryKey.map((_, part) => keys.map((values) => values[part]))
  const shape = table.shape('with')
  const text = textOf(relations)
  shape.cacheable = text !== undefined
  shape.key += `${seesDeleted} ${text}`
  const columns = Object.fromEntries(primaryKey.map(({ key }) => [key, true]))
  const queries = builder.drizzle.query as unknown as Record<string, { findMany (config: object): { _getQuery (): Built } }> // private to its types
  const built: Built[] = []
  const statement = table.call(shape, () => {
    const query = (queries[key] as NonNullable<typeof queries[string]>).findMany({ columns, with: nested, where: isAmong(table) })._getQuery()
    built.push(query)
    return { query: query.sql, reader: relatedReader(tables, config, query.selection), kind: 'read' }
  })
  for (const { sql } of built) parameters.set(statement.context, builder.dialect.sqlToQuery(sql).params)
  const values = (parameters.get(statement.context) as unknown[]).map((value) => is(value, Placeholder) ? lists[Number(value.name)] : value)
  return { statement: { ...statement, values }, nothing: () => nothingRelated(nested, config) }
}

/** The table in the schema, by the name that it has there. */
function registered ({ table, name, builder: { drizzle, schema } }: TableStatements): { key: string, config: TableRelationalConfig } {
  const key = Object.keys(schema ?? {}).find((key) => schema?.[key] === table)
  const config = key === undefined ? undefined : (drizzle._.schema as RelationalSchema['schema'] | undefined)?.[key]
  if (key === undefined || config === undefined) throw new UsageError(`Table "${name}" is not in the schema that was given as \`schema\`: its relations are not known`)
  return { key, config }
}

function isAmong ({ table, primaryKey }: TableStatements): SQL {
  const [first] = primaryKey
  if (primaryKey.length === 1) return sql`${first?.column} = any(${sql.placeholder('0')})`
  // As in getMany(): PostgreSQL cannot tell the type of an array that is only unnested.
  const lists = primaryKey.map(({ column }, part) => sql`coalesce(${sql.placeholder(String(part))}, array(select ${column} from ${table} limit 0))`)
  const columns = primaryKey.map(({ column }) => sql`${column}`)
  return sql`(${sql.join(columns, sql`, `)}) in (select * from unnest(${sql.join(lists, sql`, `)}))`
}

/** What tells these relations from others; undefined where they hold functions or SQL, which may be others each time. */
function textOf (relations: unknown): string | undefined {
  let isPlain = true
  const text = JSON.stringify(relations, (name, value: unknown) => {
    if (typeof value === 'function' || name === 'where' || name === 'orderBy' || name === 'extras') isPlain = false
    return isPlain ? value : undefined
  })
  return isPlain ? text : undefined
}

function relatedReader ({ schema }: RelationalSchema, config: TableRelationalConfig, selection: Built['selection']): RowReader {
  return (fields) => {
    const parsers = fields.map(({ dataTypeID }) => parserOf(dataTypeID))
    return (texts) => {
      const values = texts.map((text, place) => text === null ? null : parsers[place]?.(text) ?? text)
      return mapRelationalRow(schema, config, values, selection)
    }
  }
}
