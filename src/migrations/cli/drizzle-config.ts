import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Casing } from '../../drizzle/casing.js'
import { loadModule, type Exports } from './load-module.js'
import { loadTogether } from './load-together.js'
import { findFiles } from './find-files.js'
import { CommandUsageError } from './usage-error.js'

/** The settings of drizzle.config.ts that this package uses. */
export interface Config {
  readonly dialect?: string
  readonly out?: string
  readonly schema?: string | readonly string[]
  readonly casing?: Casing
  readonly breakpoints?: boolean
  readonly migrations?: { readonly table?: string, readonly schema?: string, readonly prefix?: string }
  readonly dbCredentials?: Credentials
}

interface Credentials {
  readonly url?: string
  readonly host?: string
  readonly port?: number
  readonly user?: string
  readonly password?: string
  readonly database?: string
  readonly ssl?: unknown
}

const names = ['drizzle.config.ts', 'drizzle.config.js', 'drizzle.config.mjs', 'drizzle.config.cjs', 'drizzle.config.mts', 'drizzle.config.json']

/**
 * Reads drizzle-kit's configuration. It is empty if no path is given and no file is found.
 *
 * @param path the given path; `undefined` looks for a file with one of drizzle-kit's names
 * @throws {CommandUsageError} for a file that does not exist, or is for another database
 */
export async function readConfig (path: string | undefined, folder: string): Promise<Config> {
  const found = path ?? names.find((name) => existsSync(join(folder, name)))
  if (found === undefined) return {}
  const file = resolve(folder, found)
  if (!existsSync(file)) throw new CommandUsageError(`There is no configuration ${found}`)
  const config = unwrapped(await loadModule(file, folder)) as Config | null
  if (config?.dialect !== 'postgresql') throw new CommandUsageError(`${found} is not for PostgreSQL: its dialect must be 'postgresql'`)
  return config
}

/** The exports of all schema files of the configuration, under arbitrary keys. */
export async function readSchema ({ schema = [] }: Config, folder: string): Promise<Exports | undefined> {
  const patterns = typeof schema === 'string' ? [schema] : schema
  if (patterns.length === 0) return undefined
  const files = patterns.flatMap((pattern) => findFiles(resolve(folder, pattern)))
  if (files.length === 0) throw new CommandUsageError(`No file matches the schema ${patterns.join(', ')} of the configuration`)
  return { ...(await loadTogether(files, folder)).flatMap((exports) => Object.values(exports).flatMap(fromCommonJs)) }
}

/** If CommonJS is loaded as ESM, its exports appear a second time under `default`. */
function fromCommonJs (value: unknown): unknown[] {
  return Object.prototype.toString.call(value) === '[object Object]' && Object.getPrototypeOf(value) === Object.prototype ? Object.values(value as object) : [value]
}

function unwrapped (exports: Exports): unknown {
  const value = exports['default'] ?? exports
  return typeof value === 'object' && value !== null && 'default' in value ? value.default : value
}

/** The URL of the configuration's database, built from its parts if it has no URL. */
export function urlOf ({ dbCredentials }: Config): string | undefined {
  if (dbCredentials === undefined) return undefined
  const { url, host, port, user, password, database, ssl } = dbCredentials
  if (url !== undefined) return url
  if (host === undefined || database === undefined) return undefined
  if (typeof ssl === 'object') throw new CommandUsageError('dbCredentials.ssl cannot be an object here: give the database as a URL with sslmode, sslrootcert and so on in it')
  const account = user === undefined ? '' : `${encodeURIComponent(user)}${password === undefined ? '' : `:${encodeURIComponent(password)}`}@`
  const mode = ssl === undefined || ssl === false ? '' : `?sslmode=${ssl === true ? 'require' : encodeURIComponent(String(ssl))}`
  return `postgresql://${account}${host}${port === undefined ? '' : `:${port}`}/${encodeURIComponent(database)}${mode}`
}

/** The table that records the applied migrations, as `schema.table`. */
export function tableOf ({ migrations = {} }: Config): string {
  const { table = '__drizzle_migrations', schema = 'drizzle' } = migrations
  return `${schema}.${table}`
}
