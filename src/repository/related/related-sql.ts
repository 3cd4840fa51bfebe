/**
 * The SQL that reads related rows as JSON. Each value in the JSON is PostgreSQL's text of it, as in any other row: JSON's own
 * numbers, dates and arrays differ from those of the columns.
 */
import { aliasedTableColumn, and, eq, getOperators, getOrderByOperators, getTableColumns, isNull, normalizeRelation, sql } from 'drizzle-orm'
import type { Column, SQL } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'
import { throughAlias } from '../table/aliases.js'
import type { Aliases } from '../table/aliases.js'
import { isColumn } from '../../values/column-codec.js'
import type { Fields, RelatedPart } from './related-options.js'
import type { RelationalSchema } from '../../drizzle/relational-schema.js'

/** The SQL of a relation. */
export interface RelatedSql {
  readonly part: RelatedPart
  /** The columns and expressions of each row, by property name. */
  readonly values: ReadonlyArray<readonly [key: string, source: PgColumn | SQL]>
  readonly inner: readonly RelatedSql[]
  /** The FROM item, after the row that it is related to. */
  readonly join: SQL
  /** The JSON of the rows: a list, or one row or NULL. */
  readonly found: SQL
  /** An empty table whose columns have the types of the values. */
  readonly types: SQL
  /** Its columns. */
  readonly typed: readonly SQL[]
}

/** The parts that all relations of a statement share. */
export interface RelatedWriting {
  readonly tables: RelationalSchema
  readonly aliases: Aliases
}

/** Builds the SQL for the rows related to a parent row. `parent` writes a column of the parent row. */
export function relatedSql (part: RelatedPart, parent: (column: Column) => SQL, writing: RelatedWriting): RelatedSql {
  const { table, isMany, relation } = part
  const { tables, aliases } = writing
  const alias = aliases.textOf('related')
  const [rows, whole, types] = [aliases.of('rows'), aliases.of('whole'), aliases.of('types')]
  const own = <Source extends Column | SQL>(source: Source): Source | SQL => {
    if (!isColumn(source)) return throughAlias(source as SQL, table, alias)
    return source.table === table ? aliasedTableColumn(source, alias) : source
  }
  const fields: Fields = Object.fromEntries(Object.entries(getTableColumns(table)).map(([key, column]) => [key, aliasedTableColumn(column, alias)]))
  const selected: SQL[] = []
  // A subquery selects the values, so that order and limit apply before the JSON is built.
  const select = (source: Column | SQL): SQL => {
    const name = aliases.of('value')
    selected.push(sql`${own(source)} as ${name}`)
    return sql`${rows}.${name}`
  }
  const values = [...part.columns, ...part.extras(fields)]
  const texts = values.map(([, source]) => textOf(select(source)))
  const inner = part.parts.map((deeper) => relatedSql(deeper, select, writing))
  const row = sql`json_build_array(${sql.join([sql`array[${sql.join(texts, sql`, `)}]::text[]`, ...inner.map(({ found }) => found)], sql`, `)})`
  const made = isMany ? sql`coalesce(json_agg(${row}), '[]')` : row
  const tableNames = tables.tableNamesMap as Record<string, string> // Drizzle does not change it
  const { fields: theirs, references } = normalizeRelation(tables.schema, tableNames, relation)
  const joined = theirs.map((column, place) => eq(sql`${own(references[place] as PgColumn)}`, parent(column)))
  const where = part.where(fields, getOperators())
  const condition = and(...joined, where && sql`(${own(where)})`, part.hidden && isNull(own(part.hidden)))
  const rest = sql`${orderOf(part, fields, own)}${limitOf(part)}`
  const chosen = sql`select ${sql.join(selected, sql`, `)} from ${table} as ${sql.identifier(alias)} where ${condition}${rest}`
  const typed = values.map(([, source]) => ({ source, name: aliases.of('type') }))
  const columns = typed.map(({ source, name }) => sql`${own(source)} as ${name}`)
  return {
    part,
    values,
    inner,
    join: sql` left join lateral (select ${made} as found from (${chosen}) as ${rows}${sql.join(inner.map(({ join }) => join))}) as ${whole} on true`,
    found: sql`${whole}.found`,
    types: sql`(select ${sql.join(columns, sql`, `)} from ${table} as ${sql.identifier(alias)} where false) as ${types}`,
    typed: typed.map(({ name }) => sql`${types}.${name}`)
  }
}

/**
 * The text of a value as PostgreSQL sends it. A cast differs for some types: `::text` adds a mask to an inet, and removes the
 * blanks of a char. Only IS DISTINCT FROM tells a composite value that consists of NULLs from NULL.
 */
function textOf (value: SQL): SQL {
  return sql`case when ${value} is distinct from null then concat(${value}) end`
}

/** Lists have a total order: the primary key is last. */
function orderOf (part: RelatedPart, fields: Fields, own: (source: Column | SQL) => Column | SQL): SQL | undefined {
  const orders = part.isMany ? [...part.orderBy(fields, getOrderByOperators()), ...part.primaryKey] : []
  return orders.length === 0 ? undefined : sql` order by ${sql.join(orders.map((order) => sql`${own(order)}`), sql`, `)}`
}

function limitOf ({ isMany, limit }: RelatedPart): SQL | undefined {
  const most = isMany ? limit : 1
  return most === undefined ? undefined : sql.raw(` limit ${most}`)
}
