import { asDatabaseError } from '../history/as-database-error.js'
import { freshSession } from '../history/migration-options.js'
import { runAlone } from './non-transactional-file.js'
import { runTogether } from './transactional-file.js'
import type { MigrationStep } from '../history/step.js'
import type { Work } from './run-context.js'

/** Runs one file, up or down, and notes it. */
export async function runFile (work: Work, step: MigrationStep): Promise<void> {
  const run = step.text.transactional ? runTogether : runAlone
  await asDatabaseError(work.client.query(freshSession).then(() => run(work, step)))
}
