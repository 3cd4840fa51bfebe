import { checkCall } from '../../errors/check-call.js'
import { isOptions } from '../../runtime/option-checks.js'
import type { OptionChecks } from '../../runtime/option-checks.js'

/** The options that locate the migrations, their database and their model. A program may pass one object of them to every function. */
const places: ReadonlySet<string> = new Set(['connectionString', 'database', 'folder', 'table', 'lockTimeoutSeconds', 'schema', 'casing'])

/**
 * Checks the options of a function for migrations. Of {@link places}, those that only other functions use are allowed, too.
 *
 * @throws {UsageError} for any other unknown option, and for a value that an option does not take
 */
export function checkMigrationCall<Options> (call: string, options: unknown, checks: OptionChecks<Options>): void {
  if (!isOptions(options)) return checkCall(call, options, checks)
  const used = Object.entries(options).filter(([name]) => Object.hasOwn(checks, name) || !places.has(name))
  checkCall(call, Object.fromEntries(used), checks)
}
