import { checkSettings } from '../../src/errors/check-call.js'
import { SettingsError } from '../../src/errors/settings-error.js'
import { isOptions, isPlainObject, oneOf } from '../../src/runtime/option-checks.js'
import type { FastifyContextConfig, RouteShorthandOptions } from 'fastify'
import type { PgTable } from 'drizzle-orm/pg-core'
import type { OptionChecks } from '../../src/runtime/option-checks.js'
import type { SoftDeleteKey, VersionKey } from '../../src/model/own-columns.js'
import type { FilterableKey, QueryOperator, SearchableKey } from '../../src/repository/list-query/list-query.js'
import type { Repository, RepositoryClass, RepositorySource } from '../../src/repository/repository.js'
import type { ColumnKey, WritableKey } from '../../src/repository/types/filters.js'

/** The parameters of the repository that a class extends. */
type PartsOf<R> = R extends Repository<infer T, infer W, infer O> ? { readonly table: T, readonly rest: readonly [W, O] } : never

/** The table of a repository class, or the table itself. */
export type TableOf<Source extends RepositorySource> =
  Source extends PgTable ? Source : Source extends RepositoryClass<infer R> ? PartsOf<R>['table'] : never

/** The columns that callers of a repository may write. */
export type WritableOf<Source extends RepositorySource> =
  Source extends PgTable ? WritableKey<Source>
    : Source extends RepositoryClass<infer R> ? R extends { writable (keys: ReadonlyArray<infer W extends string>, options?: never): unknown } ? W : never : never

/** The query string of the list: as of `listQuery`, without hidden columns. */
export interface CrudList<T extends PgTable, Hidden extends string = never> {
  /** The columns to filter by, with every operator of their type or with the given ones. @defaultValue none */
  readonly filterable?: ReadonlyArray<Exclude<FilterableKey<T>, Hidden>> | { readonly [K in Exclude<FilterableKey<T>, Hidden>]?: ReadonlyArray<QueryOperator<T, K>> }
  /** The columns to sort by. @defaultValue none */
  readonly sortable?: ReadonlyArray<Exclude<FilterableKey<T>, Hidden>>
  /** The text columns that `search` looks in, ignoring case. @defaultValue none */
  readonly searchable?: ReadonlyArray<Exclude<SearchableKey<T>, Hidden>>
  /** The largest `limit`. @defaultValue `repository.maxLimit` */
  readonly maxLimit?: number
  /** How many rows a page has without `limit`. @defaultValue `repository.defaultLimit`, or `maxLimit` if it is smaller */
  readonly defaultLimit?: number
  /** Whether pages have cursors, or numbers and a total. @defaultValue 'cursor' */
  readonly pages?: 'cursor' | 'numbered'
}

/** What a client may do with a table. A route that is not named does not exist. */
export interface CrudOptions<T extends PgTable, W extends string = WritableKey<T>, Hidden extends ColumnKey<T> = never>
  extends Pick<RouteShorthandOptions, 'onRequest' | 'preHandler'> {
  /** The path of the list, below the prefix of `register`: `/users`. A row is `/users/:id`. */
  readonly prefix: string
  /** `GET /users`: pages of rows. `true`: without filters and orders. @defaultValue no such route */
  readonly list?: true | CrudList<T, Hidden>
  /** `GET /users/:id`: one row. @defaultValue no such route */
  readonly get?: true
  /** `POST /users`: the columns that a client may give to a new row. @defaultValue no such route */
  readonly create?: readonly W[]
  /** `PATCH /users/:id`: the columns that a client may change. @defaultValue no such route */
  readonly update?: readonly W[]
  /** `DELETE /users/:id`: marks the row as deleted (`softDelete()`), or deletes it permanently. @defaultValue no such route */
  readonly remove?: [SoftDeleteKey<T>] extends [never] ? 'final' : 'soft' | 'final'
  /** The columns that no reply shows, that no list filters or sorts by, and that the OpenAPI document does not have, unless a client may write them. @defaultValue none */
  readonly hidden?: readonly Hidden[]
  /** On a table with `version()`: whether `PATCH` and `DELETE` without `If-Match` are refused with 428. @defaultValue 'required' */
  readonly ifMatch?: [VersionKey<T>] extends [never] ? never : 'required' | 'optional'
  /** The tags of the routes in the OpenAPI document. @defaultValue none */
  readonly tags?: readonly string[]
  /** The `config` of each route, with its `transaction`. */
  readonly config?: FastifyContextConfig
}

/** The options without the types of a table. */
export interface GivenCrud extends Pick<CrudOptions<PgTable>, 'prefix' | 'onRequest' | 'preHandler' | 'config'> {
  readonly list?: true | GivenList
  readonly get?: true
  readonly create?: readonly string[]
  readonly update?: readonly string[]
  readonly remove?: 'soft' | 'final'
  readonly hidden?: readonly string[]
  readonly ifMatch?: 'required' | 'optional'
  readonly tags?: readonly string[]
}

/** The options of the list without the types of a table. `listQuery` checks them. */
export interface GivenList {
  readonly filterable?: readonly string[] | Readonly<Record<string, readonly string[]>>
  readonly sortable?: readonly string[]
  readonly searchable?: readonly string[]
  readonly maxLimit?: number
  readonly defaultLimit?: number
  readonly pages?: 'cursor' | 'numbered'
}

const isNames = (value: unknown): boolean => Array.isArray(value) && value.every((name) => typeof name === 'string' && name !== '') && new Set(value).size === value.length
const names = [isNames, 'must be an array of names, each once'] as const
const hook = [(value: unknown) => [value].flat().every((item) => typeof item === 'function'), 'must be a hook, or an array of hooks'] as const

const checks: OptionChecks<GivenCrud> = {
  prefix: [(value) => typeof value === 'string' && /^(?:\/[\w.~-]+)+$/.test(value), 'must be a path without parameters, such as /users'],
  list: [(value) => value === true || isOptions(value), 'must be true, or an object of filterable, sortable, searchable, maxLimit, defaultLimit, pages'],
  get: [(value) => value === true, 'must be true, or be left out'],
  create: [(value) => isNames(value) && (value as string[]).length > 0, 'must be an array of columns, each once: leave it out for no such route'],
  update: [(value) => isNames(value) && (value as string[]).length > 0, 'must be an array of columns, each once: leave it out for no such route'],
  remove: oneOf('soft', 'final'),
  hidden: names,
  ifMatch: oneOf('required', 'optional'),
  tags: names,
  onRequest: hook,
  preHandler: hook,
  config: [isPlainObject, 'must be an object']
}

/** @throws {SettingsError} for an unknown or invalid option, for no route at all, and for a `config` without a transaction */
export function checkCrudOptions (given: unknown): asserts given is GivenCrud {
  checkSettings({ path: 'crud' }, given, checks)
  if (given.prefix === undefined) throw new SettingsError('crud.prefix', checks.prefix[1])
  if ([given.list, given.get, given.create, given.update, given.remove].every((route) => route === undefined)) {
    throw new SettingsError('crud', 'has no route: name some of list, get, create, update, remove')
  }
  if (Object(given.config).transaction === false) throw new SettingsError('crud.config.transaction', 'cannot be false: each route is one transaction')
}
