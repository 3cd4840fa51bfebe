/**
 * The SQL that reads related rows as JSON. Each value in the JSON is PostgreSQL's text of it, as in any other row: JSON's own
 * numbers, dates and arrays differ from those of the columns.
 */
import { aliasedTableColumn, and, eq, getTableColumns, isNull, sql } from 'drizzle-orm'
import type { Column, SQL } from 'drizzle-orm'
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'
import { throughAlias } from '../table/aliases.js'
import type { Aliases } from '../table/aliases.js'
import { isColumn } from '../../values/column-codec.js'
import { textOf } from '../../values/json-text.js'
import type { Fields, RelatedPart } from './related-options.js'
import type { AliasedRow, RelationCondition } from '../../drizzle/relations/relational-table.js'

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

/** The row that others are related to. */
interface ParentRow {
  readonly table: PgTable
  /** Undefined for a table under its own name. */
  readonly alias: string | undefined
  /** How its columns, and expressions of them, are written. */
  readonly write: (source: Column | SQL) => SQL
}

/** Builds the SQL for the rows related to a parent row. */
export function relatedSql (part: RelatedPart, parent: ParentRow, aliases: Aliases): RelatedSql {
  const { table, relation } = part
  const { isMany, junction } = relation
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
  const inner = part.parts.map((deeper) => relatedSql(deeper, { table, alias, write: select }, aliases))
  const row = sql`json_build_array(${sql.join([sql`array[${sql.join(texts, sql`, `)}]::text[]`, ...inner.map(({ found }) => found)], sql`, `)})`
  const made = isMany ? sql`coalesce(json_agg(${row}), '[]')` : row
  const between = aliases.textOf('junction')
  const far = (column: PgColumn): Column => aliasedTableColumn(column, junction === undefined ? alias : between)
  const joined = relation.pairs.map(([from, to]) => eq(sql`${far(to)}`, parent.write(from)))
  const where = part.where({ alias, fields })
  const always = alwaysOf(relation.condition, parent, { table, alias })
  const condition = and(...joined, always && sql`(${always})`, where && sql`(${own(where)})`, part.hidden && isNull(own(part.hidden)))
  const rest = sql`${orderOf(part, { alias, fields }, own)}${limitOf(part)}`
  const from = junction === undefined
    ? sql`${table} as ${sql.identifier(alias)}`
    : sql`${table} as ${sql.identifier(alias)} inner join ${junction.table} as ${sql.identifier(between)} on ${and(...junction.pairs.map(([near, to]) => eq(sql`${far(near)}`, sql`${own(to)}`)))}`
  const chosen = sql`select ${sql.join(selected, sql`, `)} from ${from} where ${condition}${rest}`
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

/** The condition of the relation itself. */
function alwaysOf (condition: RelationCondition | undefined, parent: ParentRow, { table, alias }: Pick<ParentRow, 'table' | 'alias'>): SQL | undefined {
  if (condition?.of !== 'own') return condition?.sql(table, alias)
  const own = condition.sql(parent.table, parent.alias)
  return own && parent.write(own)
}

/** Lists have a total order: the primary key is last. */
function orderOf (part: RelatedPart, row: AliasedRow, own: (source: Column | SQL) => Column | SQL): SQL | undefined {
  const orders = part.relation.isMany ? [...part.orderBy(row), ...part.primaryKey] : []
  return orders.length === 0 ? undefined : sql` order by ${sql.join(orders.map((order) => sql`${own(order)}`), sql`, `)}`
}

function limitOf ({ relation, limit }: RelatedPart): SQL | undefined {
  const most = relation.isMany ? limit : 1
  return most === undefined ? undefined : sql.raw(` limit ${most}`)
}
