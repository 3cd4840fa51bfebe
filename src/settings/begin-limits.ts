import type { Settings } from './settings.js'

/** The names of the server-side limits, as startup parameters and as settings. */
export const limitNames = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'] as const

/** The statements that set the limits for one transaction. */
export interface TravellingLimits {
  /** For a transaction that BEGIN began. */
  readonly begun: readonly string[]
  /** For a statement that is a transaction by itself, which is never idle in it. */
  readonly alone: readonly string[]
}

/** No limits. */
const noLimits: readonly string[] = Object.freeze([])

/** The limits for a pooler's connections, on which a setting would stay for other programs. */
export function limitsThatTravel ({ pg, statementTimeoutSeconds, lockTimeoutSeconds, idleInTransactionTimeoutSeconds }: Settings): TravellingLimits {
  if (pg !== undefined) return { begun: noLimits, alone: noLimits }
  const seconds = [statementTimeoutSeconds, lockTimeoutSeconds, idleInTransactionTimeoutSeconds]
  const set = limitNames.map((name, index) => ({ name, millis: Math.round(Number(seconds[index]) * 1000) })).filter(({ millis }) => millis > 0)
  return { begun: setLocally(set), alone: setLocally(set.filter(({ name }) => name !== 'idle_in_transaction_session_timeout')) }
}

function setLocally (limits: ReadonlyArray<{ readonly name: string, readonly millis: number }>): readonly string[] {
  return limits.length === 0 ? noLimits : [`select ${limits.map(({ name, millis }) => `set_config('${name}', '${millis}', true)`).join(', ')}`]
}
