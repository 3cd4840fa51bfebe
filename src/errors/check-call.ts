import { complaintOf } from '../runtime/call-options.js'
import { UsageError } from './errors.js'
import type { CallOptions } from '../runtime/call-options.js'

/** @throws {UsageError} for what is no object of options, an option that does not exist, or one that is not what it can be */
export function checkCall<Options> (call: string, given: unknown, known: CallOptions<Options>): void {
  const complaint = complaintOf(call, given, known)
  if (complaint !== undefined) throw new UsageError(complaint)
}

/** What is wrong with something that is to be called; undefined where it is a function. */
export function mustBeFunction (fn: unknown, caller: string): UsageError | undefined {
  return typeof fn === 'function' ? undefined : new UsageError(`${caller} takes a function, which it calls by itself: pass it, not what it returns`)
}
