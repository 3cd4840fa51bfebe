/**
 * The settings by which PostgreSQL writes or reads the text of a value in another way: server, database and role may have set
 * them. Values are read rightly in one way of each only, so a connection that has another is told so, once, when it is new.
 * The time zone and the order of day and month stay as they are: both say the same moment, in words that a program may want.
 * https://www.postgresql.org/docs/current/runtime-config-client.html
 */

/** What a setting is to be, and how it is seen that it is not. Not every server that speaks like PostgreSQL has each. */
const settings: ReadonlyArray<readonly [name: string, value: string, isOdd: string]> = [
  // Only the style is named, so that the order of day and month stays.
  ['datestyle', 'ISO', "not like 'ISO%'"],
  ['intervalstyle', 'postgres', "<> 'postgres'"],
  // Below 1 a float8 is cut to 15 digits and fewer, and another one than was stored.
  ['extra_float_digits', '1', "in ('0', '-0') or current_setting('extra_float_digits', true) like '-%'"],
  ['bytea_output', 'hex', "<> 'hex'"],
  // Without it NULL in an array that is sent is the word.
  ['array_nulls', 'on', "<> 'on'"]
]

/** An SQL expression: whether a setting is not as it is to be. */
export const oddity = `(${settings.map(([name, , isOdd]) => `current_setting('${name}', true) ${isOdd}`).join(' or ')})`

const set = (isLocal: boolean): string => `select ${settings.map(([name, value]) => `set_config('${name}', '${value}', ${isLocal})`).join(', ')}`

/** Sets them for the connection. */
export const correct = set(false)

/** Sets them for a transaction. */
export const correctForTransaction = set(true)

const names = settings.map(([name]) => name)

/** Their names, and what sets everything back, in the case that the user likes. */
const changing = new RegExp(`${names.join('|')}|\\breset\\s+all\\b|\\bdiscard\\s+all\\b`, 'i')

/** Whether SQL may change one of them: `set_config` takes a name as a value, too. */
export function isChangedBy (text: string, values: readonly unknown[]): boolean {
  return changing.test(text) || (/set_config/i.test(text) && values.some((value) => typeof value === 'string' && names.includes(value.toLowerCase())))
}

/** Whether what PostgreSQL reports of a setting is not as it is to be. */
export function isOddReport (name: string, value: string): boolean {
  return (name === 'DateStyle' && !value.startsWith('ISO')) || (name === 'IntervalStyle' && value !== 'postgres')
}
