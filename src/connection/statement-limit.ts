/** Reads facts about `statement_timeout` from the user's own SQL, for the stall watchdog. */
import type { Statement } from '../statement/statement.js'

/** The name of PostgreSQL's statement limit. */
const limitName = /statement_timeout/i

const setLocal = /\bset\s+local\b/i

/** For how long a statement may change the limit: for its transaction (`SET LOCAL`), or for the rest of the server session. */
export function limitChangedBy ({ text, values }: Statement): 'transaction' | 'session' | undefined {
  if (!limitName.test(text) && !values.includes('statement_timeout')) return undefined
  return setLocal.test(text) ? 'transaction' : 'session'
}

/** The most statements that these texts may hold; the whole limit applies to each. */
export function countStatements (texts: readonly string[]): number {
  return texts.join(';').split(';').length
}
