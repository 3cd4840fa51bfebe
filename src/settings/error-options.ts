import { checkSettings } from '../errors/check-call.js'
import { isOptions, oneOf, text, wholeNumber } from '../runtime/option-checks.js'
import type { OptionChecks } from '../runtime/option-checks.js'

const optionChecks: OptionChecks<{ format: unknown, constraints: Record<string, unknown> | undefined }> = {
  format: oneOf('fastify', 'envelope', 'problem'),
  constraints: [isOptions, 'must be an object: { constraint: { status, code, message } }']
}
const constraintChecks = { status: wholeNumber(400, 599), code: text, message: text }

/**
 * Checks the options about errors; undefined counts as not given.
 *
 * @throws {SettingsError} for an unknown option, an unknown format, and an invalid reply to a constraint
 */
export function checkErrorOptions (errors: unknown = {}): void {
  checkSettings({ path: 'errors' }, errors, optionChecks)
  const { constraints = {} } = errors
  for (const [name, reply = {}] of Object.entries(constraints)) checkSettings({ path: `errors.constraints.${name}` }, reply, constraintChecks)
}
