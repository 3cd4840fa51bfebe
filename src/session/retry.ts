import { setTimeout as wait } from 'node:timers/promises'
import { DeadlockError, SerializationFailureError, TransactionAbortedError } from '../errors/errors.js'
import type { Logger } from '../runtime/logger.js'

/** The longest pause before the first repetition, and before any, in milliseconds. */
const longestPause = { first: 20, ever: 1000 }

/** How often work may be done again, and who is told of it. */
export interface RetryOptions {
  /** Repetitions after the first attempt. */
  readonly retries: number
  readonly logger: Logger
}

/**
 * Whether a transaction failed for its company alone, so that the same work may succeed when it is done again: PostgreSQL
 * could not put it into an order with others (40001), or ended it to untie a deadlock (40P01). Also when that was swallowed
 * and only the commit told of it. An unknown commit is none: it may have happened.
 */
export function isConflict (error: unknown): boolean {
  return error instanceof SerializationFailureError || error instanceof DeadlockError ||
    (error instanceof TransactionAbortedError && isConflict(error.cause))
}

/**
 * Waits before the next repetition; the more there were, the longer it may be.
 * Full jitter: those that collided must not meet again. https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export async function pauseBefore (repetition: number): Promise<void> {
  await wait(Math.random() * Math.min(longestPause.first * 2 ** (repetition - 1), longestPause.ever))
}

/** Runs a whole transaction, and again from its beginning when it failed for its company. Rejects with the last attempt's error. */
export async function retrying<Result> (attempt: () => Promise<Result>, { retries, logger }: RetryOptions): Promise<Result> {
  for (let repetition = 1; repetition <= retries; repetition++) {
    try {
      return await attempt()
    } catch (error) {
      if (!isConflict(error)) throw error
      logger.warn({ err: error, attempt: repetition }, 'a transaction collided with another one and is repeated')
    }
    await pauseBefore(repetition)
  }
  return await attempt()
}
