/** The second statement of `with()`: it reads the related rows, by the primary keys of the rows that the first one read. */
import { Placeholder, SQL, is, sql } from 'drizzle-orm'
import { UsageError } from '../../errors/errors.js'
import { Aliases } from '../table/aliases.js'
import { typedArray } from '../table/typed-array.js'
import { encodeKey } from '../filter/key-condition.js'
import { relatedReader } from './related-reader.js'
import { nothingRelated, relatedParts } from './related-options.js'
import { relatedSql } from './related-sql.js'
import { rowReader } from '../../values/column-codec.js'
import type { AnyRow } from '../table/answers.js'
import type { RelatedPart } from './related-options.js'
import type { RelationalTable } from '../../drizzle/relations/relational-table.js'
import type { RelatedSql } from './related-sql.js'
import type { RowReader, Statement, StatementContext } from '../../statement/statement.js'
import type { TableStatements } from '../table/table-statements.js'

/** The wanted relations, and whether deleted related rows are visible. */
export interface RelatedAsked {
  readonly relations: unknown
  readonly seesDeleted: boolean
}

/** The parameters of each built statement, by its context: placeholders for the keys, and the values of conditions. */
const parameters = new WeakMap<StatementContext, unknown[]>()

/** The statement, and the related rows of a row that no longer exists. */
export interface RelatedSelection {
  readonly statement: Statement
  readonly nothing: () => Record<string, unknown>
}

/** Selects the key and the related rows of each row. */
export function selectRelated (table: TableStatements, rows: readonly AnyRow[], { relations, seesDeleted }: RelatedAsked): RelatedSelection {
  const { builder, primaryKey } = table
  const parts = relatedParts(relations, registered(table), { seesDeleted, maxLimit: builder.limits.maxLimit })
  const lossy = primaryKey.find(({ coarse }) => coarse)
  if (lossy !== undefined) {
    throw new UsageError(`Column "${lossy.key}": a Date has fewer digits than this key and cannot find the row again: declare it with { mode: 'string' }`)
  }
  const keys = rows.map((row) => encodeKey(Object.fromEntries(primaryKey.map(({ key }) => [key, row[key]])), table))
  const lists = primaryKey.map((_, part) => keys.map((values) => values[part]))
  const shape = table.shape('with')
  const text = textOf(relations)
  shape.cacheable = text !== undefined
  shape.key += `${seesDeleted} ${text}`
  const built: SQL[] = []
  const statement = table.call(shape, () => {
    const related = relatedQueries(table, parts)
    const query = queryOf(table, related)
    built.push(query)
    return { query, reader: readerOf(table, related), kind: 'read' }
  })
  for (const query of built) parameters.set(statement.context, builder.dialect.sqlToQuery(query).params)
  const values = (parameters.get(statement.context) as unknown[]).map((value) => is(value, Placeholder) ? lists[Number(value.name)] : value)
  return { statement: { ...statement, values }, nothing: () => nothingRelated(parts) }
}

/** The table in the schema, in Drizzle's description. */
function registered ({ table, name, builder }: TableStatements): RelationalTable {
  const config = builder.schema.find(table)
  if (config === undefined) throw new UsageError(`Table "${name}" is not in the schema that was given as \`schema\` or \`relations\`: its relations are not known`)
  return config
}

function relatedQueries ({ table, builder }: TableStatements, parts: readonly RelatedPart[]): RelatedSql[] {
  // Conditions may name any table.
  const aliases = new Aliases([table, ...builder.schema.tables], builder)
  return parts.map((part) => relatedSql(part, { table, alias: undefined, write: (source) => sql`${source}` }, aliases))
}

/**
 * Selects keys and JSON, and a NULL column for each value in the JSON, for which PostgreSQL reports the type of the value. The
 * types come from a second SELECT without rows, which the planner removes.
 */
function queryOf (table: TableStatements, related: readonly RelatedSql[]): SQL {
  const keys = table.primaryKey.map(({ column }) => sql`${column}`)
  const all = related.flatMap(withInner)
  const typed = all.flatMap(({ typed }) => typed)
  const columns = [...keys, ...related.map(({ found }) => found), ...typed.map(() => sql`null`)]
  const query = sql`select ${sql.join(columns, sql`, `)} from ${table.table}${sql.join(related.map(({ join }) => join))} where ${isAmong(table)}`
  if (typed.length === 0) return query
  const types = [...keys, ...related].map(() => sql`null`)
  return sql`${query} union all select ${sql.join([...types, ...typed], sql`, `)} from ${sql.join(all.map(({ types }) => types), sql`, `)}`
}

function withInner (related: RelatedSql): RelatedSql[] {
  return [related, ...related.inner.flatMap(withInner)]
}

function readerOf ({ primaryKey }: TableStatements, related: readonly RelatedSql[]): RowReader {
  const keyReader = rowReader(primaryKey)
  return (fields) => {
    const parseKey = keyReader(fields)
    const types = fields.slice(primaryKey.length + related.length).map(({ dataTypeID }) => dataTypeID)
    const readers = related.map((one) => ({ name: one.part.name, read: relatedReader(one, types) }))
    return (texts) => {
      const row = parseKey(texts) as Record<string, unknown>
      for (const [place, { name, read }] of readers.entries()) row[name] = read(JSON.parse(texts[primaryKey.length + place] ?? 'null'))
      return row
    }
  }
}

function isAmong ({ table, primaryKey }: TableStatements): SQL {
  const [first] = primaryKey
  if (primaryKey.length === 1) return sql`${first?.column} = any(${sql.placeholder('0')})`
  const lists = primaryKey.map(({ column }, part) => typedArray(sql.placeholder(String(part)), column, table))
  const columns = primaryKey.map(({ column }) => sql`${column}`)
  return sql`(${sql.join(columns, sql`, `)}) in (select * from unnest(${sql.join(lists, sql`, `)}))`
}

/** The cache key of relations. Undefined if they have functions or SQL, which may differ each time. */
function textOf (relations: unknown): string | undefined {
  let isPlain = true
  const text = JSON.stringify(relations, (name, value: unknown) => {
    if (typeof value === 'function' || name === 'where' || name === 'orderBy' || name === 'extras') isPlain = false
    return isPlain ? value : undefined
  })
  return isPlain ? text : undefined
}
