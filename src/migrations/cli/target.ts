import { resolve } from 'node:path'
import { urlOfEnvironment } from '../history/migration-client.js'
import type { ModelOptions } from '../generate/compare-model.js'
import type { Values } from './arguments.js'
import { readConfig, readSchema, tableOf, urlOf, type Config } from './drizzle-config.js'
import { CommandUsageError } from './usage-error.js'

/** The folder and environment of a call. */
export interface Place {
  /** The working directory. */
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** The folder and the database of a call. */
export interface Target {
  readonly connectionString: string
  readonly folder: string
  readonly table: string
}

/** The configuration of a call; empty if `--folder` is given without `--config`. */
export async function configOf ({ config, folder }: Values, { cwd }: Place): Promise<Config> {
  return config === undefined && folder !== undefined ? {} : await readConfig(config, cwd)
}

/**
 * The folder and the database of a call.
 *
 * @throws {CommandUsageError} if no database is given
 */
export function databaseOf (values: Values, config: Config, place: Place): Target {
  const target = targetOf(values, config, place)
  if (target.connectionString === '') throw new CommandUsageError('No database is given: set DATABASE_URL, or dbCredentials in the configuration. A service of init without one prints, while it runs, the URL of its own PostgreSQL')
  return target
}

/** The folder and the database of a call; with an empty `connectionString` if no database is given. */
export function targetOf (values: Values, config: Config, place: Place): Target {
  const connectionString = values.url ?? configuredUrl(config, place) ?? urlOfEnvironment(place.env)
  return { connectionString, folder: migrationsOf(values, config, place), table: values.table ?? tableOf(config) }
}

/** The URL of the configuration. One that repeats DATABASE_URL means that database, so DATABASE_DIRECT_URL may lead there. */
function configuredUrl (config: Config, { env }: Place): string | undefined {
  const url = urlOf(config)
  return url === env['DATABASE_URL'] ? undefined : url
}

/** The tables of a call, and the folder of their migrations. */
export async function modelOf (values: Values, config: Config, place: Place): Promise<ModelOptions & { folder: string }> {
  return { schema: await readSchema(config, place.cwd), casing: config.casing, folder: migrationsOf(values, config, place) }
}

/** The absolute path of the migrations' folder. */
export function migrationsOf ({ folder }: Values, { out = './drizzle' }: Config, { cwd }: Place): string {
  return resolve(cwd, folder ?? out)
}
