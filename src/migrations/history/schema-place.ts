import { escapeIdentifier, escapeLiteral } from 'pg'
import { UsageError } from '../../errors/errors.js'
import { isText } from '../../runtime/option-checks.js'
import { asDatabaseError } from './as-database-error.js'
import { partsOf, type TableName } from './applied-table.js'
import type { Client } from 'pg'
import type { OptionCheck } from '../../runtime/option-checks.js'

/** The schema in which the files of a run take effect. */
export interface SchemaPlace {
  readonly schema: string
  /** The schemas that follow it on the search path. */
  readonly searchPath: readonly string[]
}

/** The options of a run in one schema. */
export interface Placed {
  readonly place?: SchemaPlace | undefined
}

/** The options of a call for several schemas. */
export interface SchemaOptions {
  /**
   * The schemas: a pattern of LIKE (`'tenant_%'`), in which `_` and `%` are wildcards, or an array of names. Schemas of PostgreSQL itself never match.
   * Each schema has a table of applied migrations of its own, with the name that `table` gives.
   */
  readonly schemas: string | readonly string[]
  /**
   * Schemas that follow each of them on the search path, for example one with extensions.
   * @defaultValue none, so that a file reaches no table outside its schema by accident
   */
  readonly searchPath?: readonly string[] | undefined
}

const isNames = (value: unknown): boolean => Array.isArray(value) && value.every(isText)

/** The checks of {@link SchemaOptions}. */
export const schemaOptions: Readonly<Record<keyof SchemaOptions, OptionCheck>> = {
  schemas: [(value) => isText(value) || isNames(value), "must be a pattern of LIKE, such as 'tenant_%', or an array of names"],
  searchPath: [isNames, 'must be an array of names']
}

/**
 * Whether a call is for several schemas.
 *
 * @throws {UsageError} for a search path without schemas
 */
export function hasSchemas<Options extends Partial<SchemaOptions>> (options: Options): options is Options & SchemaOptions {
  if (options.schemas === undefined && options.searchPath !== undefined) throw new UsageError('searchPath follows the schemas of a run: give schemas, too')
  return options.schemas !== undefined
}

/** The table that records the applied migrations: in a run over schemas, that of the schema. */
export function tableOf ({ table, place }: Placed & { readonly table?: string | undefined }): TableName {
  const parts = partsOf(table)
  return place === undefined ? parts : { schema: place.schema, name: parts.name }
}

/** The value of `search_path` for a schema. */
export function searchPathOf ({ schema, searchPath }: SchemaPlace): string {
  return escapeLiteral([schema, ...searchPath].map(escapeIdentifier).join(', '))
}

/**
 * The names of the existing schemas, in order.
 *
 * @throws {UsageError} for a name that no schema has, or that cannot stand in a function of a migration
 */
export async function findSchemas (client: Client, { schemas }: SchemaOptions): Promise<string[]> {
  const isPattern = typeof schemas === 'string'
  const { rows } = await asDatabaseError(client.query<{ name: string }>(
    `select nspname::text as name from pg_namespace where nspname ${isPattern ? 'like $1' : '= any($1)'} and nspname !~ '^pg_' and nspname <> 'information_schema' order by 1`,
    [schemas]
  ))
  const found = rows.map(({ name }) => name)
  const missing = isPattern ? undefined : schemas.find((name) => !found.includes(name))
  if (missing !== undefined) throw new UsageError(`There is no schema "${missing.slice(0, 63)}": create it before its migrations are run`)
  const unfit = found.find((name) => /['$\\]/.test(name))
  if (unfit !== undefined) throw new UsageError(`The schema "${unfit}" has a quote, a dollar sign or a backslash in its name: migrations cannot be run in it`)
  return found
}
