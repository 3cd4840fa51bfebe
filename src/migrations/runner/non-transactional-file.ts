/**
 * Runs a file outside a transaction. Each statement takes effect by itself, and the progress is recorded, so a later runner continues where
 * this one stopped.
 *
 * A statement that can run in a transaction is committed together with its record, so it happens exactly once. Any other statement is recorded before
 * and after it runs. A runner that finds only the first record checks whether the index exists, or runs the statement again.
 */
import { MigrationError } from '../../errors/errors.js'
import { brokenTransaction, nonTransactionalFileFailed } from './failure-messages.js'
import { dropInvalidIndex, tableOf, tookEffect } from './interrupted-index.js'
import { controlsTransaction, isConcurrent, runsCode, runsOutside } from '../folder/unfit-statements.js'
import { retryLocked } from './retry-locked.js'
import { hashOf } from '../history/progress-table.js'
import { ignore } from '../../runtime/promises.js'
import type { SqlStatement } from '../folder/sql-scanner.js'
import type { MigrationStep } from '../history/step.js'
import type { RunContext } from './run-context.js'

/** Runs a file statement by statement, from the point where an earlier runner stopped. */
export async function runNonTransactional (work: RunContext, step: MigrationStep): Promise<void> {
  const { progress } = work
  await work.monitor.confirmLock()
  const { done, started, hash } = await progress.open(step)
  const { statements } = step.text
  if (hash !== hashOf(statements, done)) {
    throw new MigrationError(`${step.file} was edited in its first ${done} statements, which have already taken effect: restore their former text`, 'DB_MIGRATION_EDITED')
  }
  try {
    for (let index = done; index < statements.length; index++) {
      await retryLocked(work, step, () => attempt(work, step, { index, resumed: started && index === done }))
    }
    await finish(work, step)
  } catch (error) {
    // A file without effect leaves no progress table. On a lost connection this fails, too.
    await progress.dropIfUnused().catch(ignore)
    throw error
  }
}

interface Place {
  readonly index: number
  /** Whether an earlier runner had begun the statement. */
  readonly resumed: boolean
}

async function attempt (work: RunContext, step: MigrationStep, place: Place): Promise<void> {
  const wasInside = isInside(work)
  // Outside a transaction each text is one statement.
  const [statement] = step.text.scanned[place.index] as [SqlStatement]
  if (place.resumed) await waitForInterrupted(work, statement)
  try {
    const mustStandAlone = controlsTransaction(statement) || runsOutside(statement) || runsCode(statement)
    if (mustStandAlone || wasInside) await runOutsideTransaction(work, step, { ...place, statement })
    else await runWithProgress(work, step, place)
  } catch (cause) {
    await work.progress.notStarted().catch(ignore)
    // PostgreSQL has rolled back a transaction that the file began itself. Only another run repeats its earlier statements.
    throw nonTransactionalFileFailed(step, { ...place, repeats: !wasInside }, cause)
  }
}

/** Waits for a statement of a killed runner that PostgreSQL still runs: behind a pooler it holds no lock of a runner, but one on its table. */
async function waitForInterrupted (work: RunContext, statement: SqlStatement): Promise<void> {
  const table = await tableOf(work.client, statement)
  if (table === undefined) return
  try {
    await work.begin()
    await work.monitor.during(() => work.client.query(`lock table ${table} in share update exclusive mode`))
  } finally {
    await work.rollback()
  }
}

async function runWithProgress (work: RunContext, step: MigrationStep, { index }: Place): Promise<void> {
  const settings = await work.begin()
  await work.runStatement(step, index)
  await work.progress.done(step.text.statements, index + 1)
  await work.commit(settings)
}

async function runOutsideTransaction (work: RunContext, step: MigrationStep, { index, resumed, statement }: Place & { statement: SqlStatement }): Promise<void> {
  const { client, isDirect, lockTimeout, progress } = work
  if (isDirect) await client.query(`set lock_timeout = '${isConcurrent(statement) ? 0 : lockTimeout}'`)
  await work.monitor.confirmLock()
  if (!resumed || !await tookEffect(client, statement)) {
    await progress.begin()
    await dropInvalidIndex(client, statement)
    await work.runStatement(step, index)
  }
  await progress.done(step.text.statements, index + 1)
}

async function finish (work: RunContext, step: MigrationStep): Promise<void> {
  const { client, progress } = work
  if (isInside(work)) {
    await client.query('rollback')
    throw brokenTransaction(`${step.file} leaves its transaction open, so that transaction was rolled back: end it with COMMIT`)
  }
  try {
    const settings = await work.begin()
    await work.recordFile(step)
    await progress.drop()
    await work.commit(settings)
  } catch (cause) {
    await work.rollback()
    throw nonTransactionalFileFailed(step, { index: step.text.statements.length, resumed: false, repeats: false }, cause)
  }
}

function isInside ({ client }: RunContext): boolean {
  return client.getTransactionStatus() === 'T'
}
