import { checkMigrationCall } from './history/check-migration-call.js'
import { text } from '../runtime/option-checks.js'
import { asDatabaseError } from './history/as-database-error.js'
import { compare } from './history/compare.js'
import { inTransaction } from './history/in-transaction.js'
import { withClient } from './history/migration-client.js'
import { runnerOptions } from './history/migration-options.js'
import { planUp } from './history/plan.js'
import { withoutText } from './migration-status.js'
import { startRun } from './runner/run-context.js'
import { runFile } from './runner/run-file.js'
import { withMigrationLock } from './runner/runner-lock.js'
import type { OptionChecks } from '../runtime/option-checks.js'
import type { Migration } from './folder/migration-files.js'
import type { RunnerOptions } from './history/migration-options.js'

/** The options of {@link runMigrations}. */
export interface RunOptions extends RunnerOptions {
  /**
   * The last migration to apply, by its tag.
   * @defaultValue the newest
   */
  readonly to?: string | undefined
}

/**
 * Applies the pending migrations, each file in one transaction, so after a failure the database has whole files only.
 * If several processes start at once, one applies the migrations and the others wait.
 *
 * The files and the table are drizzle-kit's. `drizzle-kit migrate` can be used alternately, but it takes no lock, and cannot run a file with the directive
 * `-- data-access: no-transaction`.
 *
 * @throws {MigrationError} `DB_MIGRATION_EDITED`, `DB_MIGRATION_MISSING` or `DB_MIGRATION_OUT_OF_ORDER` if folder and database do not match, before
 *   anything is changed;
 *   `DB_MIGRATION_LOCKED` if another process holds the lock for too long, or the application's statements hold a table; `DB_MIGRATION_FAILED` if a
 *   file cannot be run, or a statement fails
 * @throws {UsageError} for a number out of range, or a tag that is not in the folder or lies behind
 *
 * @example
 * const { applied } = await runMigrations({ connectionString: process.env.DATABASE_URL })
 * console.log(applied.map((migration) => migration.tag))
 */
export async function runMigrations (options: RunOptions = {}): Promise<{ applied: Migration[] }> {
  checkMigrationCall('runMigrations()', options, runOptions)
  const { dryRun = false, to } = options
  if (dryRun) {
    const steps = await withClient(options, async (client) => planUp(await compare(client, options), to))
    return { applied: steps.map(({ migration }) => withoutText(migration)) }
  }
  return withMigrationLock(options, async (connections) => {
    const comparison = await compare(connections.work, options)
    const steps = planUp(comparison, to)
    const work = startRun(connections, options, steps)
    await asDatabaseError(inTransaction(connections.work, async () => {
      if (steps.length > 0) await work.applied.create(comparison.layout)
      await work.applied.complete(comparison.applied, comparison.layout)
    }))
    for (const step of steps) await runFile(work, step)
    return { applied: steps.map(({ migration }) => withoutText(migration)) }
  })
}

/** The checks of {@link RunOptions}. */
export const runOptions: OptionChecks<RunOptions> = { ...runnerOptions, to: text }
