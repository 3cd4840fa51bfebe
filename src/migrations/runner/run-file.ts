import { asDatabaseError } from '../history/as-database-error.js'
import { freshSession } from '../history/migration-options.js'
import { runNonTransactional } from './non-transactional-file.js'
import { runTransactional } from './transactional-file.js'
import type { MigrationStep } from '../history/step.js'
import type { RunContext } from './run-context.js'

/** Runs one file, up or down, and records it. */
export async function runFile (work: RunContext, step: MigrationStep): Promise<void> {
  const run = step.text.transactional ? runTransactional : runNonTransactional
  await asDatabaseError(work.client.query(freshSession).then(() => run(work, step)))
}
