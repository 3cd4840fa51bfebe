/**
 * The first statements of a new connection do not wait until it is known how PostgreSQL writes values there, which isolation level is its default, and
 * whether a pooler is in between. The connection before it tells what is to be expected, and a guard leads them, under the same Sync: where something
 * else is found, the guard fails, and PostgreSQL skips what is behind it. Then the connection is asked, and the statements are sent once more.
 */
import { oddity } from './exact-settings.js'
import type { LeadingStatement } from '../statement/leading-statement.js'

/** The words of the error are for PostgreSQL's log. */
const text = `select case when current_setting('default_transaction_isolation') like 'read %' = $1 and pg_backend_pid() = $2 and ${oddity} is not true then 'true' ` +
  "else 'this connection has other settings than the one before, or a pooler is in between' end::boolean"

/** The statement that fails unless a connection is one to this process of PostgreSQL, writes values as they are read, and is READ COMMITTED by default, or is not. */
export function guardOf (readCommitted: boolean, processId: number): LeadingStatement {
  return { text, name: undefined, values: [String(readCommitted), String(processId)] }
}
