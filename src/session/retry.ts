import { DeadlockError, SerializationFailureError, TransactionAbortedError } from '../errors/errors.js'
import { pauseBefore } from '../runtime/backoff.js'
import type { Backoff } from '../runtime/backoff.js'
import type { Logger } from '../runtime/logger.js'

/** Pauses before repetitions. Full jitter: transactions that collided must not collide again. */
export const retryBackoff: Backoff = { firstMillis: 20, longestMillis: 1000, jitter: 1 }

/** How often a transaction may be repeated, and the log of its repetitions. */
export interface RetryOptions {
  /** Repetitions after the first attempt. */
  readonly retries: number
  readonly logger: Logger
}

/**
 * Whether a transaction failed only because of concurrent transactions, so that a repetition may succeed: a serialization
 * failure (40001) or a deadlock (40P01), also one that was swallowed and that only the commit reported.
 * An unknown commit is not a conflict: the transaction may have been committed.
 */
export function isConflict (error: unknown): boolean {
  return error instanceof SerializationFailureError || error instanceof DeadlockError ||
    (error instanceof TransactionAbortedError && isConflict(error.cause))
}

/** Runs a whole transaction, and repeats it from its beginning after a conflict. Rejects with the error of the last attempt. */
export async function retrying<Result> (attempt: () => Promise<Result>, { retries, logger }: RetryOptions): Promise<Result> {
  for (let repetition = 1; repetition <= retries; repetition++) {
    try {
      return await attempt()
    } catch (error) {
      if (!isConflict(error)) throw error
      logger.warn({ err: error, attempt: repetition }, 'a transaction collided with another one and is repeated')
    }
    await pauseBefore(repetition, retryBackoff)
  }
  return await attempt()
}
