import type { PgTable } from 'drizzle-orm/pg-core'
import type { ColumnTypeOf } from '../../drizzle/types/column-kinds.js'
import { UsageError } from '../../errors/errors.js'
import { describeTable } from '../../model/table.js'
import { literally } from '../../runtime/expressions.js'
import { checkListOptions, isList } from '../read/list-options.js'
import type { GivenListOptions } from '../read/list-options.js'
import type { CursorPage, NumberedPage } from '../types/read-options.js'
import { scopeOf } from './list-scope.js'
import type { ListScope } from './list-scope.js'
import { isTextual, parametersOf } from './parameters.js'
import type { PlainOperator, SearchOperator } from './parameters.js'
import { readQuery } from './parse-query.js'
import type { DeclaredList } from './parse-query.js'
import type { JsonSchema } from './query-type.js'
import { queryTypeOf } from './value-types.js'
import type { QueryColumnType } from './value-types.js'
import type { ColumnKey, Filter, Page, Row } from '../types/filters.js'

type TypeOf<T extends PgTable, K extends ColumnKey<T>> = ColumnTypeOf<T['_']['columns'][K]>

/** Whether a column of a custom type has texts as its values. */
type IsCustomText<T extends PgTable, K extends ColumnKey<T>> = TypeOf<T, K> extends 'PgCustomColumn' ? Row<T>[K] extends string | null ? true : false : false

/** An error of the compiler lists the names that are properties of an interface; of an alias it prints the name of the alias. */
interface QueryKeys<T extends PgTable> {
  readonly filterable: { [K in ColumnKey<T>]: TypeOf<T, K> extends QueryColumnType ? K : IsCustomText<T, K> extends true ? K : never }[ColumnKey<T>]
  readonly searchable: { [K in ColumnKey<T>]: TypeOf<T, K> extends 'PgText' | 'PgVarchar' | 'PgChar' ? K : never }[ColumnKey<T>]
}

/** The columns whose values can stand in a query string. */
export type FilterableKey<T extends PgTable> = QueryKeys<T>['filterable']

/** The columns that hold text. */
export type SearchableKey<T extends PgTable> = QueryKeys<T>['searchable']

/** The operators that a client may be given for a column. */
export type QueryOperator<T extends PgTable, K extends ColumnKey<T>> = K extends SearchableKey<T> ? PlainOperator | SearchOperator : PlainOperator

/** The columns and operators that clients of a list may use; anything else is refused. */
export interface ListQueryOptions<T extends PgTable> {
  /** The columns to filter by, with every operator of their type or with the given ones. @defaultValue none */
  readonly filterable?: ReadonlyArray<FilterableKey<T>> | { readonly [K in FilterableKey<T>]?: ReadonlyArray<QueryOperator<T, K>> }
  /** The columns to sort by. @defaultValue none */
  readonly sortable?: ReadonlyArray<FilterableKey<T>>
  /** The text columns that `search` looks in, ignoring case. @defaultValue none */
  readonly searchable?: ReadonlyArray<SearchableKey<T>>
  /** The largest `limit`. @defaultValue `repository.maxLimit` */
  readonly maxLimit?: number
  /** How many rows a list has without `limit`. @defaultValue `repository.defaultLimit`; if `maxLimit` is given, `maxLimit`, but at most 100 */
  readonly defaultLimit?: number
  /** Whether the schema has pages by number or by cursor. @defaultValue both */
  readonly pages?: 'numbered' | 'cursor'
}

/** The query string of a list: its schema, and its filter and page. */
export interface ListQuery<T extends PgTable> {
  /**
   * The JSON schema of the query string, for `schema: { querystring }` of a route, and so for OpenAPI. It refuses undeclared
   * parameters, which Fastify's validator would otherwise remove. A validator that does not read JSON schemas (zod's, TypeBox 0.34)
   * or does not convert texts to numbers (TypeBox 1) does not check it. `filter`, `paginate` and `cursor` refuse the same queries.
   */
  readonly schema: JsonSchema
  /** The arguments of `repo.filter(...)`; without a scope, `repo.getAll()` takes the second. @throws ValidationError for an undeclared parameter */
  filter (query: unknown): [filter: Filter<T>, page: Page<T>]
  /** The same for the rows of a scope, which no query can leave. */
  filter (query: unknown, scope: ListScope<T>): [filter: Filter<T>, page: Page<T>]
  /** The arguments of `repo.paginate(...)`. @throws ValidationError for an undeclared parameter */
  paginate (query: unknown): [filter: Filter<T>, page: NumberedPage<T>]
  /** The same for the rows of a scope, which no query can leave. */
  paginate (query: unknown, scope: ListScope<T>): [filter: Filter<T>, page: NumberedPage<T>]
  /** The arguments of `repo.cursor(...)`. @throws ValidationError for an undeclared parameter */
  cursor (query: unknown): [filter: Filter<T>, page: CursorPage<T>]
  /**
   * The same for the rows of a scope, which no query can leave. A cursor belongs to its scope: in another one it is refused.
   *
   * @example
   * ```ts
   * server.get('/users/:userId/invoices', { schema: { querystring: invoiceList.schema } }, (request) =>
   *   request.repo(invoices).cursor(...invoiceList.cursor(request.query, { where: { userId: Number(request.params.userId) } })))
   * ```
   */
  cursor (query: unknown, scope: ListScope<T>): [filter: Filter<T>, page: CursorPage<T>]
}

/** The parameters of a page besides `limit`. */
const pageParameters = {
  numbered: { page: { type: 'integer', minimum: 1 } },
  cursor: { after: { type: 'string' }, before: { type: 'string' } }
} as const satisfies Record<string, Record<string, JsonSchema>>

/** The schemas of all list queries. */
const listSchemas = new WeakSet<object>()

/** Whether a value is the schema of a list query. */
export function isListSchema (schema: unknown): schema is JsonSchema {
  return listSchemas.has(Object(schema))
}

/**
 * Declares the query string of a list endpoint: its schema, and the filter, order and page of a request.
 *
 * `?name=Ada` is equality, `?name[contains]=ada` and `?id[in]=1,2,3` are other operators, `?sort=-createdAt,name` is the order,
 * `?search=ada` looks in all searchable columns. A repeated key or a nested object is refused with 400.
 *
 * @throws UsageError for an unknown option, and for a column that is unknown or cannot be used as declared.
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
  const reader = (method: string, pageKeys: readonly string[]) => (query: unknown, ...scope: readonly unknown[]): unknown =>
    readQuery(declared, query, { pageKeys, scope: scopeOf(`list.${method}()`, scope) })
  const schema = schemaOf(declared, options.pages)
  listSchemas.add(schema)
  // The columns and values are those of the table: each was looked up in it.
  return {
    schema,
    filter: reader('filter', []) as ListQuery<T>['filter'],
    paginate: reader('paginate', Object.keys(pageParameters.numbered)) as ListQuery<T>['paginate'],
    cursor: reader('cursor', Object.keys(pageParameters.cursor)) as ListQuery<T>['cursor']
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
  const names = sortable.map(literally).join('|')
  const properties: Record<string, JsonSchema> = {
    ...Object.fromEntries(filters.map(({ key, schema }) => [key, schema])),
    ...(sortable.length > 0 && {
      sort: { type: 'string', pattern: `^-?(${names})(,-?(${names}))*$`, description: `${sortable.join(', ')}; "-" in front: descending` }
    }),
    ...(searchable.length > 0 && { search: { type: 'string', minLength: 1, description: `searches in ${searchable.join(', ')}` } }),
    limit: { type: 'integer', minimum: 1, ...(maxLimit !== undefined && { maximum: maxLimit }), ...(defaultLimit !== undefined && { default: defaultLimit }) },
    ...(pages !== 'cursor' && pageParameters.numbered),
    ...(pages !== 'numbered' && pageParameters.cursor)
  }
  // Not `additionalProperties: false`: Fastify's validator would drop an unknown filter, and the reply would have every row. Nor `propertyNames`: its error
  // does not tell the name.
  const known = Object.keys(properties).map(literally).join('|')
  return { type: 'object', properties, patternProperties: { [`^(?!(${known})$)`]: { not: {} } } }
}
