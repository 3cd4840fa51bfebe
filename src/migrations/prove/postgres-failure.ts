import { toDatabaseError } from '../../errors/to-database-error.js'
import { isPostgresError } from '../../errors/redact.js'

/** Why PostgreSQL refuses a statement. */
export interface PostgresFailure {
  readonly sqlState: string
  readonly message: string
}

/**
 * What PostgreSQL says of a statement. The message may name literals of the statement, which its author wrote.
 *
 * @throws {DatabaseError} if it was not PostgreSQL that failed
 */
export function postgresErrorOf (error: unknown): PostgresFailure {
  if (!isPostgresError(error)) throw toDatabaseError(error, { context: { operation: 'prove' } })
  return { sqlState: error.code, message: error.message }
}
