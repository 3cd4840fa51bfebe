import type { Column } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import { UsageError } from '../../errors/errors.js'
import { describeTable } from '../../model/table.js'
import { checkListOptions, isList } from '../read/list-options.js'
import type { GivenListOptions } from '../read/list-options.js'
import type { CursorPage, NumberedPage } from '../types/read-options.js'
import { isTextual, parametersOf } from './parameters.js'
import type { PlainOperator, SearchOperator } from './parameters.js'
import { readQuery } from './parse-query.js'
import type { DeclaredList } from './parse-query.js'
import type { JsonSchema } from './query-type.js'
import { queryTypeOf } from './value-types.js'
import type { QueryColumnType } from './value-types.js'
import type { ColumnKey, Filter, Page } from '../types/filters.js'

type TypeOf<T extends PgTable, K extends ColumnKey<T>> = T['_']['columns'][K] extends Column<infer Config> ? Config['columnType'] : never

/** The columns whose values can stand in a query string. */
export type FilterableKey<T extends PgTable> = { [K in ColumnKey<T>]: TypeOf<T, K> extends QueryColumnType ? K : never }[ColumnKey<T>]

/** The columns that hold text. */
export type SearchableKey<T extends PgTable> = { [K in ColumnKey<T>]: TypeOf<T, K> extends 'PgText' | 'PgVarchar' | 'PgChar' ? K : never }[ColumnKey<T>]

/** The operators that a client may be given for a column. */
export type QueryOperator<T extends PgTable, K extends ColumnKey<T>> = K extends SearchableKey<T> ? PlainOperator | SearchOperator : PlainOperator

/** What the clients of a list may ask for; nothing else can be. */
export interface ListQueryOptions<T extends PgTable> {
  /** The columns to filter by, with every operator that suits them, or with those given for each. @defaultValue none */
  readonly filterable?: ReadonlyArray<FilterableKey<T>> | { readonly [K in FilterableKey<T>]?: ReadonlyArray<QueryOperator<T, K>> }
  /** The columns to sort by. @defaultValue none */
  readonly sortable?: ReadonlyArray<FilterableKey<T>>
  /** The columns of text in which `search` looks, without regard to case. @defaultValue none */
  readonly searchable?: ReadonlyArray<SearchableKey<T>>
  /** The largest `limit`. @defaultValue `repository.maxLimit` */
  readonly maxLimit?: number
  /** How many rows there are without `limit`. @defaultValue `repository.defaultLimit`; with `maxLimit` that, and at most 100 */
  readonly defaultLimit?: number
  /** Whether pages are chosen by number or by cursor, for the schema. @defaultValue both */
  readonly pages?: 'numbered' | 'cursor'
}

/** The query string of a list: what it may hold, and what that means. */
export interface ListQuery<T extends PgTable> {
  /**
   * The JSON schema of the query string: for `schema: { querystring }` of a route, and so for OpenAPI. It refuses whatever was
   * not declared, also where Fastify's validator would take it away. A server whose validator reads no JSON schemas (zod's,
   * TypeBox 0.34), or makes no numbers of texts (TypeBox 1), does not check it: `filter`, `paginate` and `cursor` refuse the same by themselves.
   */
  readonly schema: JsonSchema
  /** What `repo.filter(...)` and, with the second alone, `repo.getAll()` take. @throws ValidationError for what was not declared */
  filter (query: unknown): [filter: Filter<T>, page: Page<T>]
  /** What `repo.paginate(...)` takes. @throws ValidationError for what was not declared */
  paginate (query: unknown): [filter: Filter<T>, page: NumberedPage<T>]
  /** What `repo.cursor(...)` takes. @throws ValidationError for what was not declared */
  cursor (query: unknown): [filter: Filter<T>, page: CursorPage<T>]
}

/** How a query string chooses a page, besides `limit`. */
const pageParameters = {
  numbered: { page: { type: 'integer', minimum: 1 } },
  cursor: { after: { type: 'string' }, before: { type: 'string' } }
} as const satisfies Record<string, Record<string, JsonSchema>>

/** The schemas that were made here. */
const listSchemas = new WeakSet<object>()

/** Whether something is the schema of a list's query string. */
export function isListSchema (schema: unknown): schema is JsonSchema {
  return listSchemas.has(Object(schema))
}

/**
 * Gives a list endpoint its query string: the schema that lets through what is declared here, and the filter, order and page that it asks for.
 *
 * `?name=Ada` is equality, `?name[contains]=ada` and `?id[in]=1,2,3` the other operators, `?sort=-createdAt,name` the order,
 * `?search=ada` looks into all searchable columns. A key that comes twice, and a nested object, is refused with 400.
 *
 * @throws UsageError for an option that does not exist, and a column that is unknown or cannot be used in the way that is declared.
 * @example
 * ```ts
 * const userList = listQuery(users, { filterable: { name: ['eq', 'contains'] }, sortable: ['createdAt'], searchable: ['name', 'email'], maxLimit: 100 })
 *
 * server.get('/users', { schema: { querystring: userList.schema } }, (request) =>
 *   request.repo(users).cursor(...userList.cursor(request.query)))
 * ```
 */
export function listQuery<T extends PgTable> (table: T, options: ListQueryOptions<T> = {}): ListQuery<T> {
  const given = options as GivenListOptions // a key of the table is a string
  checkListOptions(given)
  const declared = declare(table, given)
  const read = (query: unknown, pages: 'numbered' | 'cursor' | 'none'): ReturnType<typeof readQuery> =>
    readQuery(declared, query, pages === 'none' ? [] : Object.keys(pageParameters[pages]))
  const schema = schemaOf(declared, options.pages)
  listSchemas.add(schema)
  // The columns and values are those of the table: each was looked up in it.
  return {
    schema,
    filter: (query) => read(query, 'none') as [Filter<T>, Page<T>],
    paginate: (query) => read(query, 'numbered') as [Filter<T>, NumberedPage<T>],
    cursor: (query) => read(query, 'cursor') as [Filter<T>, CursorPage<T>]
  }
}

function declare (table: PgTable, { filterable = [], sortable = [], searchable = [], maxLimit, defaultLimit }: GivenListOptions): DeclaredList {
  const { columns, name } = describeTable(table)
  const columnOf = (key: string): NonNullable<typeof columns[string]> => {
    const column = columns[key]
    if (column === undefined) throw new UsageError(`Table "${name}" has no column "${key}" for its list`)
    return column
  }
  const filters: ReadonlyArray<readonly [string, readonly string[] | undefined]> =
    isList(filterable) ? filterable.map((key) => [key, undefined]) : Object.entries(filterable)
  const unordered = sortable.find((key) => queryTypeOf(columnOf(key)) === undefined)
  if (unordered !== undefined) throw new UsageError(`Column "${unordered}" cannot be sorted by`)
  const unsearchable = searchable.find((key) => !isTextual(columnOf(key)))
  if (unsearchable !== undefined) throw new UsageError(`Column "${unsearchable}" holds no text to search in`)
  return {
    filters: filters.flatMap(([key, operators]) => parametersOf(key, columnOf(key), operators)),
    sortable,
    searchable,
    limits: { maxLimit, defaultLimit: defaultLimit ?? (maxLimit && Math.min(maxLimit, 100)) }
  }
}

function schemaOf ({ filters, sortable, searchable, limits: { maxLimit, defaultLimit } }: DeclaredList, pages: ListQueryOptions<PgTable>['pages']): JsonSchema {
  const names = sortable.map((name) => name.replace(/\W/g, '\\$&')).join('|')
  const properties: Record<string, JsonSchema> = {
    ...Object.fromEntries(filters.map(({ key, schema }) => [key, schema])),
    ...(sortable.length > 0 && { sort: { type: 'string', pattern: `^-?(${names})(,-?(${names}))*$`, description: `${sortable.join(', ')}; "-" in front: descending` } }),
    ...(searchable.length > 0 && { search: { type: 'string', minLength: 1, description: `looks into ${searchable.join(', ')}` } }),
    limit: { type: 'integer', minimum: 1, ...(maxLimit !== undefined && { maximum: maxLimit }), ...(defaultLimit !== undefined && { default: defaultLimit }) },
    ...(pages !== 'cursor' && pageParameters.numbered),
    ...(pages !== 'numbered' && pageParameters.cursor)
  }
  // Not `additionalProperties: false`: Fastify's validator would drop a filter that it does not know, and answer with every row.
  return { type: 'object', properties, propertyNames: { enum: Object.keys(properties) } }
}
