import { isOptions } from '../errors/call-options.js'
import { SettingsError } from './settings-error.js'

const optionNames = ['format', 'constraints']
const constraintWords = ['status', 'code', 'message']

/**
 * Checks the options about errors; undefined counts as not given.
 *
 * @throws {SettingsError} for a name that is no option, and for words of a constraint that cannot be used
 */
export function checkErrorOptions (errors: unknown): void {
  const { constraints } = optionsAt('errors', errors, optionNames)
  const names = optionsAt('errors.constraints', constraints)
  for (const [name, words] of Object.entries(names)) checkWords(`errors.constraints.${name}`, words)
}

function checkWords (path: string, given: unknown): void {
  const { status = 409, ...texts } = optionsAt(path, given, constraintWords)
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 400 || status > 599) throw new SettingsError(`${path}.status`, 'must be a whole number from 400 to 599')
  const wrong = Object.entries(texts).find(([, text]) => text !== undefined && (typeof text !== 'string' || text === ''))
  if (wrong !== undefined) throw new SettingsError(`${path}.${wrong[0]}`, 'must be a text')
}

function optionsAt (path: string, given: unknown, known?: readonly string[]): Record<string, unknown> {
  if (given === undefined) return {}
  if (!isOptions(given)) throw new SettingsError(path, `must be an object${known === undefined ? ': { constraint: { status, code, message } }' : ` of ${known.join(', ')}`}`)
  const unknown = known && Object.keys(given).find((key) => !known.includes(key))
  if (unknown !== undefined) throw new SettingsError(`${path}.${unknown}`, `is not an option; there are ${known?.join(', ')}`)
  return given
}
