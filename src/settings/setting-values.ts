import { SettingsError } from '../errors/settings-error.js'
import { isText } from '../runtime/option-checks.js'
import type { SettingRow } from './setting-table.js'

/** The types of a setting that is a single value. */
export type SettingValue = string | number | boolean | readonly string[]

const booleanWords = new Map([
  ['true', true], ['1', true], ['yes', true], ['on', true],
  ['false', false], ['0', false], ['no', false], ['off', false],
])

/** Reads the text of an environment variable; an unreadable one stays a text, which {@link checkValue} refuses. */
export function parseText (row: SettingRow, text: string): SettingValue {
  if (row.kind === 'url' || row.kind === 'urls' || row.kind === 'choice') return text
  if (row.kind === 'boolean') return booleanWords.get(text.toLowerCase()) ?? text
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : text
}

/**
 * Returns the value if the setting may hold it.
 * @throws {SettingsError} otherwise, under the given name
 */
export function checkValue (row: SettingRow, value: unknown, name: string): SettingValue {
  if (!accepts(row, value)) throw new SettingsError(name, `must be ${describe(row)}`)
  return value
}

/** Whether the setting may hold the value. */
export function accepts (row: SettingRow, value: unknown): value is SettingValue {
  if (row.kind === 'url') return isText(value)
  if (row.kind === 'urls') return isText(value) || (Array.isArray(value) && value.every(isText))
  if (row.kind === 'boolean') return typeof value === 'boolean'
  if (row.kind === 'choice') return row.choices.some((choice) => choice === value)
  if (typeof value !== 'number') return false
  if (row.kind === 'integer' && !Number.isInteger(value)) return false
  return (value >= row.min && value <= row.max) || (value === 0 && row.zero !== undefined)
}

/** The valid values of a setting, in words that follow "must be". */
export function describe (row: SettingRow): string {
  if (row.kind === 'url') return 'a URL of the form postgresql://USER:PASSWORD@HOST:PORT/DATABASE'
  if (row.kind === 'urls') return 'an array of URLs of the form postgresql://USER:PASSWORD@HOST:PORT/DATABASE (in the environment with spaces between them)'
  if (row.kind === 'boolean') return `true or false (in the environment also 1 or 0, yes or no, on or off)${row.instead === undefined ? '' : `, as an option also ${row.instead}`}`
  if (row.kind === 'choice') return `one of ${row.choices.join(', ')}`
  const range = `from ${row.min} to ${row.max}${row.zero === undefined ? '' : `, or 0 for ${row.zero}`}`
  if (row.kind === 'integer') return `a whole number ${range}`
  return `a number of ${row.kind === 'seconds' ? 'seconds' : 'milliseconds'} ${range}`
}
