import type { Settings } from './settings.js'

/** Behind a pooler that refuses startup parameters, the limits go with each BEGIN, for its transaction only. */
export function limitsWithBegin (settings: Settings): string[] {
  if (settings.preparedStatements || settings.pg !== undefined) return []
  const { statementTimeoutSeconds, lockTimeoutSeconds, idleInTransactionTimeoutSeconds } = settings
  const limits = {
    statement_timeout: statementTimeoutSeconds,
    lock_timeout: lockTimeoutSeconds,
    idle_in_transaction_session_timeout: idleInTransactionTimeoutSeconds
  }
  const set = Object.entries(limits).filter(([, seconds]) => seconds > 0).map(([name, seconds]) => `set_config('${name}', '${Math.round(seconds * 1000)}', true)`)
  return set.length === 0 ? [] : [`select ${set.join(', ')}`]
}
