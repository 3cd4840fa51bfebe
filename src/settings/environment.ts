import { hide } from '../runtime/hidden-properties.js'
import { defaultOf, settingRows, type DatabaseEnvironment, type SettingRow } from './setting-table.js'
import { accepts, checkValue, describe, parseText, type SettingValue } from './setting-values.js'

/** Environment variables: texts as in `process.env`, or values that {@link readEnvironment} already read. */
export type Environment = Readonly<Record<string, SettingValue | undefined>>

interface EnvironmentRow {
  readonly variable: string
  readonly row: SettingRow
}

const rows: readonly SettingRow[] = settingRows

/** The settings that have an environment variable. */
const environmentRows: readonly EnvironmentRow[] = rows.flatMap((row) => row.variable === undefined ? [] : [{ variable: row.variable, row }])

/** The `DATABASE_*` variables as a JSON schema: their names and meaning. {@link readVariables} checks ranges, with better messages. */
export function environmentSchema (prefix = '') {
  return {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(environmentRows.flatMap(({ variable, row }) => [
      [`${prefix}${variable}`, { type: 'string', description: `${row.meaning} Must be ${describe(row)}.` }],
      ...row.platformVariable === undefined ? [] : [[row.platformVariable, { type: 'string', description: `The default of ${prefix}${variable}, if it is ${describe(row)}.` }]],
    ])),
  }
}

/**
 * The `DATABASE_*` variables as numbers and booleans, with defaults filled in, frozen. An empty variable counts as unset.
 * `WEB_CONCURRENCY` is the default of `DATABASE_PROCESSES`.
 *
 * The URLs are not enumerable, so that a logged or inspected environment does not show them. Reading the result again gives the same.
 *
 * @throws {SettingsError} for a value that cannot be used, with the name of its variable
 */
export function readEnvironment (environment: Environment): DatabaseEnvironment {
  // Object.fromEntries loses the type of each value; keys and values come from the table that defines the type.
  return readVariables(environment, '') as DatabaseEnvironment
}

/** The same for variables with a prefix, which their names keep: `BILLING_DATABASE_URL`. */
export function readVariables (environment: Environment, prefix: string): Environment {
  const entries = environmentRows.map(({ variable, row }) => {
    const name = `${prefix}${variable}`
    return [name, readVariable(row, environment, name)]
  })
  return Object.freeze(hide(Object.fromEntries(entries), ...hiddenVariables(prefix)))
}

/** The variables that hold URLs, which no log should show. */
export function hiddenVariables (prefix: string): string[] {
  return ['DATABASE_URL', 'DATABASE_DIRECT_URL', 'DATABASE_REPLICA_URLS'].map((variable) => `${prefix}${variable}`)
}

/** Variables that begin as those with the prefix do, and are none of them: they are likely to be misspelt. */
export function unknownVariables (environment: Environment, prefix: string): string[] {
  return Object.keys(environment).filter((name) => name.startsWith(`${prefix}DATABASE_`) && !environmentRows.some(({ variable }) => name === `${prefix}${variable}`))
}

function readVariable (row: SettingRow, environment: Environment, variable: string): SettingValue | undefined {
  const value = valueIn(environment, variable, row)
  if (value !== undefined) return checkValue(row, value, variable)
  const shared = valueIn(environment, row.platformVariable, row)
  return accepts(row, shared) ? shared : defaultOf(row)
}

function valueIn (environment: Environment, variable: string | undefined, row: SettingRow): SettingValue | undefined {
  const value = variable === undefined || environment[variable] === '' ? undefined : environment[variable]
  return typeof value === 'string' ? parseText(row, value) : value
}
