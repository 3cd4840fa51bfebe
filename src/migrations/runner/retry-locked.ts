import { setTimeout as wait } from 'node:timers/promises'
import { toDatabaseError } from '../../errors/to-database-error.js'
import { pauseMillis } from '../../runtime/backoff.js'
import { locksNotAcquired } from './failure-messages.js'
import { sqlStates } from '../../errors/sqlstate-codes.js'
import type { DatabaseError } from '../../errors/errors.js'
import type { MigrationStep } from '../history/step.js'
import type { RunContext } from './run-context.js'

const conflicts: readonly unknown[] = [sqlStates.lockNotAvailable, sqlStates.deadlockDetected]

/** Random pauses, so that the attempts do not coincide with the application's statements again and again. */
const backoff = { firstMillis: 500, longestMillis: 10_000, jitter: 0.5 }

/**
 * Retries an attempt that did not get its locks, after a pause in which the application's statements can run.
 *
 * @throws {MigrationError} `DB_MIGRATION_LOCKED` when the last attempt has failed, too; any other failure unchanged
 */
export async function retryLocked<Result> (work: RunContext, step: MigrationStep, attempt: () => Promise<Result>): Promise<Result> {
  let attempts = 0
  let outcome = await outcomeOf(attempt)
  for (; 'conflict' in outcome; outcome = await outcomeOf(attempt)) {
    attempts++
    const blockedBy = work.monitor.takeBlockers()
    if (attempts > work.lockRetries) throw locksNotAcquired(step, { attempts, blockedBy }, outcome.conflict)
    const pause = Math.round(pauseMillis(backoff, attempts))
    work.notifyWait(step, { attempts, pauseMillis: pause, blockedBy })
    await wait(pause)
    work.throwIfAborted()
  }
  return outcome.result
}

/**
 * Runs a statement before the files, with the retries of {@link retryLocked}. An abort of the signal cancels it.
 *
 * @throws {MigrationError} `DB_MIGRATION_FAILED` if the signal was aborted
 */
export async function attemptLocked<Result> (work: RunContext, step: MigrationStep, run: () => Promise<Result>): Promise<Result> {
  return await retryLocked(work, step, async () => {
    work.throwIfAborted()
    return await work.monitor.during(run).catch((error: unknown) => {
      work.throwIfAborted()
      throw error
    })
  })
}

/** The result of an attempt, or the lock conflict that ended it. Any other failure is thrown. */
async function outcomeOf<Result> (attempt: () => Promise<Result>): Promise<{ readonly result: Result } | { readonly conflict: DatabaseError }> {
  return attempt().then((result) => ({ result }), (error: unknown) => {
    const conflict = toDatabaseError(error)
    if (!conflicts.includes(conflict.context.sqlState)) throw conflict
    return { conflict }
  })
}
