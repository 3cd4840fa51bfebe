import type { PgTable } from 'drizzle-orm/pg-core'
import { Repository } from '../repository/repository.js'
import type { RepositoryOf, RepositorySource } from '../repository/repository.js'
import type { NewRow, Row } from '../repository/types/filters.js'

/** Where rows are created: `fastify.db`, a session, a scope, a request: whatever has repositories. */
export interface FactorySource {
  repo<Source extends RepositorySource> (source: Source): RepositoryOf<Source>
}

/** The columns of a new row: each its value, or a function that makes it when it is needed, by creating another row, say. */
export type FactoryValues<T extends PgTable> = {
  readonly [Key in keyof NewRow<T>]: NewRow<T>[Key] | ((source: FactorySource) => NewRow<T>[Key] | Promise<NewRow<T>[Key]>)
}

/** Makes rows of one table. */
export interface Factory<T extends PgTable> {
  /** Creates a row; `values` go before the defaults. `repo` is a repository of the table, or whatever has one. */
  (values: Partial<FactoryValues<T>> | undefined, repo: Repository<T> | FactorySource): Promise<Row<T>>
  /** Creates nothing: the values only, for the body of a request. Columns that a function makes are left out. */
  (values?: Partial<FactoryValues<T>>): Promise<Partial<NewRow<T>>>
}

/**
 * Rows for tests that name only what the test is about.
 *
 * The defaults are an object, or a function of a number that counts up from 1. A column may be a function: it is called only
 * where nobody gave a value, so a row that another one needs is created then, and only then.
 *
 * @example
 * ```ts
 * const newUser = factory(users, (n) => ({ email: `user${n}@example.com` }))
 * const newPost = factory(posts, (n) => ({
 *   title: `Post ${n}`,
 *   userId: async (source) => (await newUser({}, source)).id
 * }))
 *
 * const post = await newPost({ title: 'Hello' }, server.db)     // and a user
 * ```
 */
export function factory<T extends PgTable> (table: T, defaults: FactoryValues<T> | ((sequence: number) => FactoryValues<T> | Promise<FactoryValues<T>>)): Factory<T> {
  let sequence = 0
  const columnsOf = async (values: object): Promise<Array<[string, unknown]>> => {
    sequence++
    const given = Object.entries(values).filter(([, value]) => value !== undefined)
    return Object.entries({ ...typeof defaults === 'function' ? await defaults(sequence) : defaults, ...Object.fromEntries(given) })
  }
  const make = async (values: object = {}, repo?: Repository<T> | FactorySource): Promise<object> => {
    const columns = await columnsOf(values)
    if (repo === undefined) return Object.fromEntries(columns.filter(([, value]) => typeof value !== 'function'))
    const isRepository = repo instanceof Repository
    const source = isRepository ? repo['session'] : repo
    const row: Record<string, unknown> = {}
    for (const [column, value] of columns) row[column] = typeof value === 'function' ? await value(source) : value
    const repository = isRepository ? repo : source.repo<PgTable>(table)
    return await repository.create(row as NewRow<T>)
  }
  // The types of the columns are checked where the defaults and the values are written.
  return make as Factory<T>
}
