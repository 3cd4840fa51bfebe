import type { Client } from 'pg'
import { MigrationError } from '../../errors/errors.js'
import { brokenTransaction, transactionalFileFailed } from './failure-messages.js'
import { retryLocked } from './retry-locked.js'
import type { MigrationStep } from '../history/step.js'
import type { FailurePoint } from './failure-messages.js'
import type { RunContext } from './run-context.js'

/** Runs a file in one transaction, together with the record that it was run. */
export async function runTransactional (work: RunContext, step: MigrationStep): Promise<void> {
  await retryLocked(work, step, () => attempt(work, step))
}

async function attempt (work: RunContext, step: MigrationStep): Promise<void> {
  const { client } = work
  let point: FailurePoint = 'BEGIN'
  try {
    const settings = await work.begin()
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
    await work.commit(settings)
  } catch (error) {
    await work.rollback()
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
