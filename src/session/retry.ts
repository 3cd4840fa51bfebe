import { DeadlockError, SerializationFailureError, TransactionAbortedError } from '../errors/errors.js'
import { pauseBefore } from '../runtime/backoff.js'
import { retryChannel } from '../channels/channels.js'
import { sqlStateOf } from '../channels/publish.js'
import type { DatabasePlace } from '../channels/messages.js'
import type { Backoff } from '../runtime/backoff.js'
import type { Logger } from '../runtime/logger.js'

/** Pauses before repetitions. Full jitter: transactions that collided must not collide again. */
export const retryBackoff: Backoff = { firstMillis: 20, longestMillis: 1000, jitter: 1 }

/** How often a transaction may be repeated, and the log of its repetitions. */
export interface RetryOptions {
  /** Repetitions after the first attempt. */
  readonly retries: number
  readonly logger: Logger
  /** The label of the caller. */
  readonly route: string
  readonly place: DatabasePlace
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

/** Publishes that an attempt collided and is repeated, if somebody subscribes. */
export function tellRetry (error: unknown, { place, route, attempt }: { readonly place: DatabasePlace, readonly route: string, readonly attempt: number }): void {
  if (retryChannel.hasSubscribers) retryChannel.publish({ ...place, route, attempt, error: error as Error, sqlState: sqlStateOf(error) })
}

/** Runs a whole transaction, and repeats it from its beginning after a conflict. Rejects with the error of the last attempt. */
export async function retrying<Result> (attempt: (number: number) => Promise<Result>, { retries, logger, route, place }: RetryOptions): Promise<Result> {
  for (let repetition = 1; repetition <= retries; repetition++) {
    try {
      return await attempt(repetition)
    } catch (error) {
      if (!isConflict(error)) throw error
      tellRetry(error, { place, route, attempt: repetition })
      logger.warn({ err: error, attempt: repetition }, 'a transaction collided with another one and is repeated')
    }
    await pauseBefore(repetition, retryBackoff)
  }
  return await attempt(retries + 1)
}
