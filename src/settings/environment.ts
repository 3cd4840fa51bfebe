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

/** The `DATABASE_*` variables as a JSON schema: their names and meaning. {@link readEnvironment} checks ranges, with better messages. */
export const environmentSchema = {
  type: 'object',
  additionalProperties: false,
  properties: Object.fromEntries(environmentRows.flatMap(({ variable, row }) => [
    [variable, { type: 'string', description: `${row.meaning} Must be ${describe(row)}.` }],
    ...row.platformVariable === undefined ? [] : [[row.platformVariable, { type: 'string', description: `The default of ${variable}, if it is ${describe(row)}.` }]],
  ])),
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
  const entries = environmentRows.map(({ variable, row }) => [variable, readVariable(row, environment, variable)])
  // Object.fromEntries loses the type of each value; keys and values come from the table that defines the type.
  const values = Object.fromEntries(entries) as DatabaseEnvironment
  return Object.freeze(hide(values, 'DATABASE_URL', 'DATABASE_DIRECT_URL', 'DATABASE_REPLICA_URLS'))
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
