import type { Client } from 'pg'
import { MigrationError } from '../../errors/errors.js'
import { brokenTransaction, transactionalFileFailed } from './failure-messages.js'
import { retryLocked } from './retry-locked.js'
import { ignore } from '../../runtime/promises.js'
import type { MigrationStep } from '../history/step.js'
import type { FailurePoint } from './failure-messages.js'
import type { RunContext } from './run-context.js'

/** Runs a file in one transaction, together with the record that it was run. */
export async function runTransactional (work: RunContext, step: MigrationStep): Promise<void> {
  await retryLocked(work, step, () => attempt(work, step))
}

async function attempt (work: RunContext, step: MigrationStep): Promise<void> {
  const { client, lockTimeout } = work
  let point: FailurePoint = 'BEGIN'
  try {
    await client.query(`begin; set local lock_timeout = '${lockTimeout}'`)
    const began = await transactionId(client)
    for (let index = 0; index < step.text.statements.length; index++) {
      point = index
      await work.runStatement(step, index)
    }
    point = 'record'
    if (await transactionId(client) !== began) throw endsItself(step)
    // A file may have set a role that has no access to drizzle-kit's table.
    await client.query('reset role')
    await work.recordFile(step)
    // Deferred constraints are checked here.
    point = 'COMMIT'
    await client.query('commit')
  } catch (error) {
    // On a lost connection this fails, too. The first error is the one to report.
    await client.query('rollback').catch(ignore)
    throw error instanceof MigrationError ? error : transactionalFileFailed(step, point, error)
  }
}

async function transactionId (client: Client): Promise<string> {
  const { rows: [row] } = await client.query('select pg_current_xact_id()::text as id')
  return row.id
}

function endsItself ({ file }: MigrationStep): MigrationError {
  return brokenTransaction(`${file} ends its own transaction: the statements before that stay in effect, although the file counts as not run. Remove COMMIT and ROLLBACK from it`)
}
