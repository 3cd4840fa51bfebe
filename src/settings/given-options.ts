import { isTable } from 'drizzle-orm'
import type { DatabaseOptions } from './database-options.js'
import { SettingsError } from '../errors/settings-error.js'
import { settingRows } from './setting-table.js'

/** Options of Drizzle's that a reader may look for, and why there are none. */
const refused = new Map(['cache', 'drizzle.cache'].map((path) => [path, 'is refused: a cache knows nothing of transactions, and would give rows of a transaction that was rolled back, or that others have changed since. Keep results that may be old in a cache of your own, and drop them in afterCommit()']))

interface Shape {
  readonly fits: (value: unknown) => boolean
  readonly must: string
}

/** The options that are more than one value. */
const shapes = new Map<string, Shape>([
  ['pool', { fits: isObject, must: 'must be an object' }],
  ['repository', { fits: isObject, must: 'must be an object' }],
  ['schema', { fits: (value) => isObject(value) && !isTable(value), must: 'must be an object that holds the tables, as in drizzle({ schema }): import * as schema from your module, or { users }' }],
  ['drizzle', { fits: isObject, must: 'must be an object: { logger }' }],
  ['drizzle.logger', { fits: (value) => typeof value === 'boolean' || hasAll(value, ['logQuery']), must: 'must be true, false or an object with the method logQuery, as in drizzle({ logger })' }],
  ['casing', { fits: (value) => value === 'snake_case' || value === 'camelCase', must: "must be 'snake_case' or 'camelCase'" }],
  ['logger', { fits: (value) => hasAll(value, ['debug', 'info', 'warn', 'error']), must: "must have the methods debug, info, warn and error; Drizzle's own logger goes into drizzle: { logger }" }],
  ['pg', { fits: (value) => hasAll(value, ['connect', 'options', 'totalCount']), must: 'must be a pool of the package pg (with @fastify/postgres: fastify.pg.pool)' }],
])

const groups = ['pool', 'repository', 'drizzle']
const paths = [...settingRows.map((row) => row.path), ...shapes.keys()]

/** Every option that may stand at the top level; `transaction`, `errors`, `health` and `migrations` are read elsewhere. */
export const optionNames: readonly string[] = [...paths.filter((path) => !path.includes('.')), 'transaction', 'errors', 'health', 'migrations']

/**
 * The options that were really given, by their path (`pool.size`). Undefined counts as not given.
 * @throws {SettingsError} for an option that does not exist, or whose shape is wrong
 */
export function givenOptions (options: DatabaseOptions): ReadonlyMap<string, unknown> {
  return new Map(knownEntries(options, '', optionNames).flatMap(([name, value]) =>
    isObject(value) && groups.includes(name) ? knownEntries(value, `${name}.`, paths) : [[name, value]]))
}

function knownEntries (options: object, prefix: string, known: readonly string[]): Array<[string, unknown]> {
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  return given.map(([name, value]) => {
    const path = `${prefix}${name}`
    if (!known.includes(path)) throw new SettingsError(path, refused.get(path) ?? `is not an option; there are ${known.filter((other) => other.startsWith(prefix)).join(', ')}`)
    const shape = shapes.get(path)
    if (shape?.fits(value) === false) throw new SettingsError(path, shape.must)
    return [path, value]
  })
}

function isObject (value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function hasAll (value: unknown, names: readonly string[]): boolean {
  return isObject(value) && names.every((name) => name in value)
}
