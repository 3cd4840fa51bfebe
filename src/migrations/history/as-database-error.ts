import { toDatabaseError } from '../../errors/to-database-error.js'

/** What PostgreSQL or the network says, as an error of this package. */
export async function asDatabaseError<Result> (answer: Promise<Result>): Promise<Result> {
  return answer.catch((error: unknown) => { throw toDatabaseError(error, { context: { operation: 'migrate' } }) })
}
