import type { PgTable } from 'drizzle-orm/pg-core'
import { UsageError } from '../errors/errors.js'
import { describeTable } from '../model/table.js'
import { isPlainObject } from '../runtime/option-checks.js'
import { Repository } from '../repository/repository.js'
import type { RepositoryOf, RepositorySource } from '../repository/repository.js'
import type { NewRow, Row } from '../repository/types/filters.js'

/** Anything that has repositories: `fastify.db`, a session, a scope or a request. */
export interface FactorySource {
  repo<Source extends RepositorySource> (source: Source): RepositoryOf<Source>
}

/** The columns of a new row. Each is a value, or a function that makes it when it is needed (for example by creating another row). */
export type FactoryValues<T extends PgTable> = {
  readonly [Key in keyof NewRow<T>]: NewRow<T>[Key] | ((source: FactorySource) => NewRow<T>[Key] | Promise<NewRow<T>[Key]>)
}

/** Makes rows of one table. */
export interface Factory<T extends PgTable> {
  /** Creates a row. `values` override the defaults. `repo` is a repository of the table, or anything that has one. */
  (values: Partial<FactoryValues<T>> | undefined, repo: Repository<T> | FactorySource): Promise<Row<T>>
  /** Returns the values and creates nothing, for the body of a request. Columns that a function makes are left out. */
  (values?: Partial<FactoryValues<T>>): Promise<Partial<NewRow<T>>>
}

const noDefaults = 'factory() takes the default columns of a row: an object, or a function of a number that returns one'

/**
 * Makes a function that creates rows for tests. A test names only the columns that it is about.
 *
 * The defaults are an object, or a function of a number that counts up from 1. A column may be a function. It is called only
 * when no value is given, so a row that another row needs is created only then.
 *
 * @throws UsageError when `table` is not a table; the returned function throws it for a column that the table does not have
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
export function factory<T extends PgTable> (
  table: T, defaults: FactoryValues<T> | ((sequence: number) => FactoryValues<T> | Promise<FactoryValues<T>>)
): Factory<T> {
  const { columns: known, name } = describeTable(table)
  if (typeof defaults !== 'function' && !isPlainObject(defaults)) throw new UsageError(noDefaults)
  let sequence = 0
  const columnsOf = async (values: object): Promise<Array<[string, unknown]>> => {
    sequence++
    const made: unknown = typeof defaults === 'function' ? await defaults(sequence) : defaults
    if (!isPlainObject(made)) throw new UsageError(noDefaults)
    const given = Object.entries(values).filter(([, value]) => value !== undefined)
    const columns = Object.entries({ ...made, ...Object.fromEntries(given) })
    const unknown = columns.find(([key]) => known[key] === undefined)
    if (unknown !== undefined) throw new UsageError(`Table "${name}" has no column "${unknown[0].slice(0, 63)}" for its factory`)
    return columns
  }
  const make = async (values: object = {}, repo?: Repository<T> | FactorySource): Promise<object> => {
    if (!isPlainObject(values)) throw new UsageError('The values of a factory are an object { column: value }')
    const columns = await columnsOf(values)
    if (repo === undefined) return Object.fromEntries(columns.filter(([, value]) => typeof value !== 'function'))
    const isRepository = repo instanceof Repository
    if (!isRepository && typeof (repo as Partial<FactorySource> | null)?.repo !== 'function') {
      throw new UsageError('A factory takes a repository of the table, or anything that has one: server.db, a session, a scope, a request')
    }
    const source = isRepository ? repo['session'] : repo
    const row: Record<string, unknown> = {}
    for (const [column, value] of columns) row[column] = typeof value === 'function' ? await value(source) : value
    const repository = isRepository ? repo : source.repo<PgTable>(table)
    return await repository.create(row as NewRow<T>)
  }
  // TypeScript checks the types of the columns where the defaults and the values are written.
  return make as Factory<T>
}
