/** The name of a database beside others: its form, and the prefix of its variables. */
import { SettingsError } from '../errors/settings-error.js'

/** The name of a database that was opened without one. */
export const defaultName = 'default'

/** Names with another meaning: below the health route, or on `fastify.pg`. */
const reserved = new Set([defaultName, 'pool', 'live', 'connect', 'query', 'transact'])

/** @throws {SettingsError} for anything but a name in camelCase, and for a name with another meaning */
export function checkName (name: unknown): asserts name is string | undefined {
  if (name === undefined) return
  if (typeof name !== 'string' || !/^[a-z][A-Za-z0-9]{0,62}$/.test(name)) {
    throw new SettingsError('name', "must be a name in camelCase, at most 63 letters and digits, as 'billing': it becomes request.databases.billing and BILLING_DATABASE_URL")
  }
  if (reserved.has(name) || name in {}) throw new SettingsError('name', `cannot be '${name}', which has a meaning already: use another name`)
}

/** The letters before each variable of a database: `BILLING_` for `billing`, `BILLING_EU_` for `billingEu`; none without a name. */
export function environmentPrefix (name: string | undefined): string {
  return name === undefined || name === defaultName ? '' : `${name.replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, '_').toUpperCase()}_`
}

/** A text about a database: the variables in it get the prefix of that database. */
export function withVariablesOf (name: string, text: string): string {
  return text.replaceAll(/\bDATABASE_(?=[A-Z])/g, `${environmentPrefix(name)}DATABASE_`)
}
