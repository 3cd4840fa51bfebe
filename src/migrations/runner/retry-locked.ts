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
export async function retryLocked (work: RunContext, step: MigrationStep, attempt: () => Promise<void>): Promise<void> {
  let attempts = 0
  for (let failure = await conflictOf(attempt); failure !== undefined; failure = await conflictOf(attempt)) {
    attempts++
    const blockedBy = work.monitor.takeBlockers()
    if (attempts > work.lockRetries) throw locksNotAcquired(step, { attempts, blockedBy }, failure)
    const pause = Math.round(pauseMillis(backoff, attempts))
    work.notifyWait(step, { attempts, pauseMillis: pause, blockedBy })
    await wait(pause)
    work.throwIfAborted()
  }
}

/** The lock conflict that ended an attempt; undefined after success. Any other failure is thrown. */
async function conflictOf (attempt: () => Promise<void>): Promise<DatabaseError | undefined> {
  return attempt().then(() => undefined, (error: unknown) => {
    const failure = toDatabaseError(error)
    if (!conflicts.includes(failure.context.sqlState)) throw failure
    return failure
  })
}
