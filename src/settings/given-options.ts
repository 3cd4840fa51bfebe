import { isTable } from 'drizzle-orm'
import { casingRefusal } from '../drizzle/casing.js'
import { isDrizzle1, versionRefusal } from '../drizzle/version.js'
import { anything, isOptions, notAnOption, object, oneOf } from '../runtime/option-checks.js'
import type { OptionCheck } from '../runtime/option-checks.js'
import type { DatabaseOptions } from './database-options.js'
import { SettingsError } from '../errors/settings-error.js'
import { checkName } from './database-name.js'
import { settingRows } from './setting-table.js'

/** Options of Drizzle that are refused, and the reason. */
const refused = new Map(['cache', 'drizzle.cache'].map((path) => [path, 'is refused: a cache knows nothing of transactions, and would give rows of a transaction that was rolled back, or that others have changed since. Keep results that may be old in a cache of your own, and drop them in afterCommit()']))

/** The options that hold more than one value. */
const shapes = new Map<string, OptionCheck>([
  ['name', anything],
  ['pool', object],
  ['repository', object],
  ['replicas', [isOptions, 'must be an object: { connectionStrings, maxLagMillis, pool }']],
  ['replicas.pool', object],
  ['schema', [isSchema, 'must be an object that holds the tables, as in drizzle({ schema }): import * as schema from your module, or { users }']],
  ['relations', [(value) => isOptions(value), 'must be the result of defineRelations(), as in drizzle({ relations })']],
  ['drizzle', [isOptions, 'must be an object: { logger }']],
  ['drizzle.logger', [(value) => typeof value === 'boolean' || hasAll(value, ['logQuery']), 'must be true, false or an object with the method logQuery, as in drizzle({ logger })']],
  ['casing', oneOf('snake_case', 'camelCase')],
  ['logger', [(value) => hasAll(value, ['debug', 'info', 'warn', 'error']), "must have the methods debug, info, warn and error; Drizzle's own logger goes into drizzle: { logger }"]],
  ['pg', [(value) => hasAll(value, ['connect', 'options', 'totalCount']), 'must be a pool of the package pg (with @fastify/postgres: fastify.pg.pool)']],
  ['transaction', [isOptions, 'must be an object (false, for no transaction, only on a route)']],
  ['readYourWrites', [isOptions, "must be an object: { cookie: 'name' } or { header: 'name' }"]],
  ['serverTiming', [(value) => typeof value === 'boolean', 'must be true or false']],
  ['statementBudget', anything],
  ['warnOutsideTransaction', [(value) => typeof value === 'boolean', 'must be true or false']],
  ['errors', [isOptions, 'must be an object of format, constraints']],
  ['health', [(value) => value === false || isOptions(value), 'must be an object, or false for no routes']],
  ['migrations', object],
  ['recorder', [(value) => typeof value === 'boolean' || isOptions(value), 'must be true, false, or an object of seconds, folder, files, slowRequestMillis']],
])

const groups = ['pool', 'replicas', 'repository', 'drizzle', 'preparedStatements']
const paths = [...settingRows.map((row) => row.path), ...shapes.keys()]

/** Every top-level option; the contents of `transaction`, `readYourWrites`, `errors`, `health`, `migrations` and `recorder` are read elsewhere. */
export const optionNames: readonly string[] = paths.filter((path) => !path.includes('.'))

/**
 * The options that were given, by their path (`pool.size`). Undefined counts as not given.
 * @throws {SettingsError} for an option that does not exist, or whose shape is wrong
 */
export function givenOptions (options: DatabaseOptions): ReadonlyMap<string, unknown> {
  const asked: unknown = options
  if (!isOptions(asked)) throw new SettingsError('options', 'must be an object, as { connectionString, schema }')
  const given = new Map(knownEntries(options, '', optionNames).flatMap(([name, value]) =>
    isOptions(value) && groups.includes(name) ? knownEntries(value, `${name}.`, paths) : [[name, value]]))
  checkName(options.name)
  if (options.schema !== undefined) refuseModules(options.schema)
  refuseDrizzleVersion()
  refuseOtherVersion(options)
  return given
}

/** @throws {SettingsError} for a version of drizzle-orm that is not supported */
export function refuseDrizzleVersion (version?: string): void {
  const refusal = versionRefusal(version)
  if (refusal !== undefined) throw new SettingsError('drizzle-orm', refusal)
}

/** Each version of Drizzle would silently ignore an option of the other one. */
function refuseOtherVersion ({ casing, relations }: DatabaseOptions): void {
  if (isDrizzle1 && casing !== undefined) throw new SettingsError('casing', casingRefusal)
  if (!isDrizzle1 && relations !== undefined) throw new SettingsError('relations', 'is an option of Drizzle 1.0: give the tables and their relations as `schema`')
}

/** Drizzle fails on an object without a prototype, for example that of `export * as tables from`. */
function refuseModules (schema: object): void {
  const found = Object.entries(schema).find(([, value]) => isObject(value) && Object.getPrototypeOf(value) === null)
  if (found !== undefined) throw new SettingsError(`schema.${found[0]}`, 'must be a table or relations, not a module or an object of them: export * from it, or spread it into the schema')
}

function knownEntries (options: object, prefix: string, known: readonly string[]): Array<[string, unknown]> {
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  return given.map(([name, value]) => {
    const path = `${prefix}${name}`
    if (!known.includes(path)) throw new SettingsError(path, refused.get(path) ?? notAnOption(known.filter((other) => other.startsWith(prefix))))
    const [isValid, reason] = shapes.get(path) ?? anything
    if (!isValid(value)) throw new SettingsError(path, reason)
    return [path, value]
  })
}

/** Whether a value may hold tables: a module or an object, but not a table. */
export function isSchema (value: unknown): boolean {
  return (isOptions(value) || Object.prototype.toString.call(value) === '[object Module]') && !isTable(value)
}

function isObject (value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function hasAll (value: unknown, names: readonly string[]): boolean {
  return isObject(value) && names.every((name) => name in value)
}
