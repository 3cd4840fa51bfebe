import { UsageError } from './errors.js'
import { complaintOf } from './call-options.js'
import type { CallOptions } from './call-options.js'

/** @throws {UsageError} for what is no object of options, an option that does not exist, or one that is not what it can be */
export function checkCall<Options> (call: string, given: unknown, known: CallOptions<Options>): void {
  const complaint = complaintOf(call, given, known)
  if (complaint !== undefined) throw new UsageError(complaint)
}
