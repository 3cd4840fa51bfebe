import type { Client } from 'pg'
import { MigrationError } from '../../errors/errors.js'
import { brokenTransaction, transactionalFileFailed } from './failure-messages.js'
import { retryLocked } from './retry-locked.js'
import { ignore } from '../../runtime/promises.js'
import type { MigrationStep } from '../history/step.js'
import type { RunContext } from './run-context.js'

/** Runs a file in one transaction, with the note of it: all of it, or nothing. */
export async function runTransactional (work: RunContext, step: MigrationStep): Promise<void> {
  await retryLocked(work, step, () => attempt(work, step))
}

async function attempt (work: RunContext, step: MigrationStep): Promise<void> {
  const { client, lockTimeout } = work
  const { length } = step.text.statements
  let place = 'BEGIN'
  let sql: string | undefined
  try {
    await client.query(`begin; set local lock_timeout = '${lockTimeout}'`)
    const began = await transactionId(client)
    for (let index = 0; index < length; index++) {
      place = `statement ${index + 1} of ${length}`
      sql = step.text.statements[index]
      await work.runStatement(step, index)
    }
    sql = undefined
    if (await transactionId(client) !== began) throw endsItself(step)
    place = 'the note that it was run'
    // A file may have worked in the name of a role that does not know our table.
    await client.query('reset role')
    await work.recordFile(step)
    // Deferred constraints speak up here.
    place = 'COMMIT'
    await client.query('commit')
  } catch (error) {
    // On a lost connection there is nothing left to roll back, and the first error is the one to tell.
    await client.query('rollback').catch(ignore)
    throw error instanceof MigrationError ? error : transactionalFileFailed(step, { place, sql }, error)
  }
}

async function transactionId (client: Client): Promise<string> {
  const { rows: [row] } = await client.query('select pg_current_xact_id()::text as id')
  return row.id
}

function endsItself ({ file }: MigrationStep): MigrationError {
  return brokenTransaction(`${file} ends its transaction by itself: what came before that stays, although the file counts as not run. Leave COMMIT and ROLLBACK out of it`)
}
