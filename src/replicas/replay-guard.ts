import { statementName } from '../statement/statement-name.js'
import { positionText } from './commit-token.js'
import type { Statement } from '../statement/statement.js'

/**
 * Fails where the server has not replayed the WAL up to the position, and on a server that was promoted. The words of the error are
 * for PostgreSQL's log.
 */
const text = "select case when pg_is_in_recovery() and pg_last_wal_replay_lsn() >= $1::pg_lsn then 'true' else 'this replica has not replayed the write yet' end::boolean"

const name = statementName('guard', text)

/**
 * The statement in front of a read, under the same Sync: where it fails, PostgreSQL skips the read. The read takes its snapshot
 * later than the guard, so it needs an isolation level at which each statement has a snapshot of its own.
 */
export function replayGuard (position: bigint): Statement {
  return { kind: 'read', text, name, values: [positionText(position)], context: { operation: 'replay guard' } }
}
