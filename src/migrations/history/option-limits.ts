import { wholeNumber } from '../../runtime/option-checks.js'
import { longestSeconds } from '../../runtime/timers.js'
import type { OptionCheck } from '../../runtime/option-checks.js'

/** The default of `lockTimeoutSeconds`. */
export const defaultLockTimeoutSeconds = 60

/** The default of `statementLockTimeoutSeconds`. */
export const defaultStatementLockTimeoutSeconds = 2

/** PostgreSQL's `lock_timeout` for a number of seconds, as text. */
export function lockTimeoutOf (seconds: number): string {
  return `${Math.ceil(seconds * 1000)}ms`
}

/** The checks of the options that are numbers. */
export const limits = {
  lockTimeoutSeconds: seconds(0),
  statementLockTimeoutSeconds: seconds(0.001),
  lockRetries: wholeNumber(0, 1000),
  steps: [(value) => Number.isInteger(value) && Number(value) > 0, 'must be a whole number from 1 on']
} as const satisfies Record<string, OptionCheck>

function seconds (least: number): OptionCheck {
  return [(value) => typeof value === 'number' && value >= least && value <= longestSeconds, `must be a number of seconds from ${least} to ${longestSeconds}`]
}
