import { complaintOf, findComplaint, isPlainObject, notAnOption } from '../runtime/option-checks.js'
import { UsageError } from './errors.js'
import { SettingsError } from './settings-error.js'
import type { OptionChecks } from '../runtime/option-checks.js'

/** @throws {UsageError} if the options of a call are not an object, or hold an unknown option or an invalid value */
export function checkCall<Options> (call: string, options: unknown, checks: OptionChecks<Options>): void {
  const complaint = complaintOf(call, options, checks)
  if (complaint !== undefined) throw new UsageError(complaint)
}

/** Like {@link checkCall}; also refuses instances of classes. */
export function checkPlainCall<Options> (call: string, options: unknown, checks: OptionChecks<Options>): asserts options is Record<string, unknown> {
  checkCall(call, isPlainObject(options) ? options : undefined, checks)
}

/** The error for an option that a call does not have. */
export function unknownOption (name: string, call: string, known: Iterable<string>): UsageError {
  return new UsageError(`"${name.slice(0, 63)}" of ${call} ${notAnOption([...known])}`)
}

/**
 * Checks the options of a plugin, or a part of them.
 *
 * @param path the name of the option that holds them; `kind` holds the words that follow "must be"
 * @throws {SettingsError} if they are not an object, or hold an unknown option or an invalid value
 */
export function checkSettings<Options> ({ path, kind }: { path: string, kind?: string }, options: unknown, checks: OptionChecks<Options>): asserts options is Options {
  const complaint = findComplaint(options, checks, kind)
  if (complaint !== undefined) throw new SettingsError(complaint.option === undefined ? path : `${path}.${complaint.option}`, complaint.reason)
}

/** The error for a value that should be a function and is not. */
export function mustBeFunction (fn: unknown, caller: string): UsageError | undefined {
  return typeof fn === 'function' ? undefined : new UsageError(`${caller} takes a function, which it calls by itself: pass it, not what it returns`)
}
