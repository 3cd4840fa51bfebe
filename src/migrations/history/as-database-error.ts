import { toDatabaseError } from '../../errors/to-database-error.js'

/** Converts a failure of PostgreSQL or the network into an error of this package. */
export async function asDatabaseError<Result> (answer: Promise<Result>): Promise<Result> {
  return answer.catch((error: unknown) => { throw toDatabaseError(error, { context: { operation: 'migrate' } }) })
}
