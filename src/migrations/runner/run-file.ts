import { asDatabaseError } from '../history/as-database-error.js'
import { runNonTransactional } from './non-transactional-file.js'
import { runTransactional } from './transactional-file.js'
import type { MigrationStep } from '../history/step.js'
import type { RunContext } from './run-context.js'

/** Resets a session of one's own, whatever the file before has set, and turns off the limits for statements outside a transaction. */
const freshSession = `reset all; reset role; select set_config(name, '0', false) from pg_settings
  where name in ('statement_timeout', 'lock_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout')`

/** Runs one file, up or down, and records it. */
export async function runFile (work: RunContext, step: MigrationStep): Promise<void> {
  if (work.isDirect) await asDatabaseError(work.client.query(`${freshSession}${work.setSearchPath('reset')}`))
  const run = step.text.transactional ? runTransactional : runNonTransactional
  await asDatabaseError(run(work, step))
}
