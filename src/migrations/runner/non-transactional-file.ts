/**
 * A file outside of a transaction: each statement takes effect by itself, and what has taken effect is noted, so that a runner that comes
 * later goes on where this one stopped.
 *
 * A statement that can run in a transaction is committed together with its note: it happens once, whatever is killed. For one that cannot, the note
 * comes in two parts, before and behind it. A runner that finds only the first looks whether the index is there, or runs the statement again.
 */
import { MigrationError } from '../../errors/errors.js'
import { brokenTransaction, nonTransactionalFileFailed } from './failure-messages.js'
import { dropInvalidIndex, tookEffect } from './interrupted-index.js'
import { controlsTransaction, isConcurrent, runsCode, runsOutside } from '../folder/lint.js'
import { retryLocked } from './retry-locked.js'
import { singleStatements } from '../folder/directives.js'
import { hashOf } from '../history/progress-table.js'
import { ignore } from '../../runtime/promises.js'
import type { SqlStatement } from '../folder/sql-scanner.js'
import type { MigrationStep } from '../history/step.js'
import type { RunContext } from './run-context.js'

/** Runs a file statement by statement, from where a runner before this one has stopped. */
export async function runNonTransactional (work: RunContext, step: MigrationStep): Promise<void> {
  const { progress } = work
  const { done, started, hash } = await progress.open(step)
  const { statements } = step.text
  if (hash !== hashOf(statements, done)) {
    throw new MigrationError(`${step.file} was edited in its first ${done} statements, which have taken effect: bring back their former text`, 'DB_MIGRATION_EDITED')
  }
  try {
    for (let index = done; index < statements.length; index++) {
      await retryLocked(work, step, () => attempt(work, step, { index, resumed: started && index === done }))
    }
    await finish(work, step)
  } catch (error) {
    // Of a file that has done nothing, nothing stays. On a lost connection there is nobody left to ask.
    await progress.dropIfUnused().catch(ignore)
    throw error
  }
}

interface Place {
  readonly index: number
  /** A runner before this one had begun the statement. */
  readonly resumed: boolean
}

async function attempt (work: RunContext, step: MigrationStep, place: Place): Promise<void> {
  const wasInside = isInside(work)
  try {
    // One statement: parseMigration has cut them apart.
    const statement = singleStatements(step.text.statements[place.index] as string)[0] as SqlStatement
    const mustStandAlone = controlsTransaction(statement) || runsOutside(statement) || runsCode(statement)
    if (mustStandAlone || wasInside) await runOutsideTransaction(work, step, { ...place, statement })
    else await runWithProgress(work, step, place)
  } catch (cause) {
    await work.progress.notStarted().catch(ignore)
    // A transaction of the file's own is gone, with the statements before this one: only another run begins it again.
    throw nonTransactionalFileFailed(step, { ...place, repeats: !wasInside }, cause)
  }
}

async function runWithProgress (work: RunContext, step: MigrationStep, { index }: Place): Promise<void> {
  const { client, lockTimeout, progress } = work
  await client.query(`begin; set local lock_timeout = '${lockTimeout}'`)
  await work.runStatement(step, index)
  await progress.done(step.text.statements, index + 1)
  await client.query('commit')
}

async function runOutsideTransaction (work: RunContext, step: MigrationStep, { index, resumed, statement }: Place & { statement: SqlStatement }): Promise<void> {
  const { client, lockTimeout, progress } = work
  await client.query(`set lock_timeout = '${isConcurrent(statement) ? 0 : lockTimeout}'`)
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
    throw brokenTransaction(`${step.file} leaves its transaction open, so that nothing of that was kept: end it with COMMIT`)
  }
  try {
    await client.query('begin')
    await work.recordFile(step)
    await progress.drop()
    await client.query('commit')
  } catch (cause) {
    await client.query('rollback').catch(ignore)
    throw nonTransactionalFileFailed(step, { index: step.text.statements.length, resumed: false, repeats: false }, cause)
  }
}

function isInside ({ client }: RunContext): boolean {
  return client.getTransactionStatus() === 'T'
}
