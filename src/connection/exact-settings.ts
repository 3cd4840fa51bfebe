/**
 * The settings that decide how PostgreSQL writes and reads the text of a value. The server, the database or the role may have
 * changed them. The package reads one format only, so a new connection with another format is corrected once.
 * The time zone and the order of day and month stay as they are: the moment is the same, and a program may rely on the text.
 * https://www.postgresql.org/docs/current/runtime-config-client.html
 */
import { preparedLeading } from '../statement/leading-statement.js'

/** The required value of each setting, and the SQL test for another value. Servers that only resemble PostgreSQL may lack some. */
const settings: ReadonlyArray<readonly [name: string, value: string, isOdd: string]> = [
  // Only the style is set, so the order of day and month stays.
  ['datestyle', 'ISO', "not like 'ISO%'"],
  ['intervalstyle', 'postgres', "<> 'postgres'"],
  // Below 1 a float8 is rounded to 15 digits or fewer, and differs from the stored value.
  ['extra_float_digits', '1', "in ('0', '-0') or current_setting('extra_float_digits', true) like '-%'"],
  ['bytea_output', 'hex', "<> 'hex'"],
  // When it is off, NULL in an array literal is read as a string.
  ['array_nulls', 'on', "<> 'on'"]
]

/** An SQL expression that is true if a setting has another value. */
export const oddity = `(${settings.map(([name, , isOdd]) => `current_setting('${name}', true) ${isOdd}`).join(' or ')})`

const set = (isLocal: boolean): string => `select ${settings.map(([name, value]) => `set_config('${name}', '${value}', ${isLocal})`).join(', ')}`

/** Sets them for the connection. */
export const correct = set(false)

/** Sets them for a transaction. */
export const correctForTransaction = preparedLeading('set', set(true))

const names = settings.map(([name]) => name)

/** The names of the settings, and the statements that reset all settings, in any case. */
const changing = new RegExp(`${names.join('|')}|\\breset\\s+all\\b|\\bdiscard\\s+all\\b`, 'i')

/** Whether SQL may change one of the settings. `set_config` may take the name as a parameter. */
export function isChangedBy (text: string, values: readonly unknown[]): boolean {
  return changing.test(text) || (/set_config/i.test(text) && values.some((value) => typeof value === 'string' && names.includes(value.toLowerCase())))
}

/** Whether a value that PostgreSQL reports for a setting is not the required one. */
export function isOddReport (name: string, value: string): boolean {
  return (name === 'DateStyle' && !value.startsWith('ISO')) || (name === 'IntervalStyle' && value !== 'postgres')
}
