import { checkSettings } from '../errors/check-call.js'
import { anything, isOptions, text, wholeNumber } from '../runtime/option-checks.js'
import type { OptionChecks } from '../runtime/option-checks.js'
import { SettingsError } from '../errors/settings-error.js'

const optionChecks: OptionChecks<{ format: unknown, constraints: unknown }> = { format: anything, constraints: anything }
const constraintChecks = { status: wholeNumber(400, 599), code: text, message: text }

/**
 * Checks the options about errors; undefined counts as not given.
 *
 * @throws {SettingsError} for an unknown option, and for the reply to a constraint that cannot be used
 */
export function checkErrorOptions (errors: unknown = {}): void {
  checkSettings({ path: 'errors' }, errors, optionChecks)
  const { constraints = {} } = errors
  if (!isOptions(constraints)) throw new SettingsError('errors.constraints', 'must be an object: { constraint: { status, code, message } }')
  for (const [name, reply = {}] of Object.entries(constraints)) checkSettings({ path: `errors.constraints.${name}` }, reply, constraintChecks)
}
