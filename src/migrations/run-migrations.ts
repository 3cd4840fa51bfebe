import { checkMigrationCall } from './history/check-migration-call.js'
import { text } from '../runtime/option-checks.js'
import { asDatabaseError } from './history/as-database-error.js'
import { compare } from './history/compare.js'
import { inTransaction } from './history/in-transaction.js'
import { withClient } from './history/migration-client.js'
import { runnerOptions } from './history/migration-options.js'
import { planUp } from './history/plan.js'
import { hasSchemas, schemaOptions } from './history/schema-place.js'
import { stepsIn } from './history/step.js'
import { withoutText } from './migration-status.js'
import { runInSchemas } from './run-in-schemas.js'
import { startRun } from './runner/run-context.js'
import { runFile } from './runner/run-file.js'
import { withMigrationLock } from './runner/runner-lock.js'
import type { OptionChecks } from '../runtime/option-checks.js'
import type { Migration } from './folder/migration-files.js'
import type { Comparison } from './history/compare.js'
import type { RunnerOptions } from './history/migration-options.js'
import type { Placed, SchemaOptions } from './history/schema-place.js'
import type { SchemaRun } from './schema-migration-error.js'

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
 * With `schemas` the folder is applied in each of these schemas, one after the other. A failure in one does not stop the others. A run that was stopped
 * continues where it was when it is repeated.
 *
 * @throws {MigrationError} `DB_MIGRATION_EDITED`, `DB_MIGRATION_MISSING` or `DB_MIGRATION_OUT_OF_ORDER` if folder and database do not match, before
 *   anything is changed;
 *   `DB_MIGRATION_LOCKED` if another process holds the lock for too long, or the application's statements hold a table; `DB_MIGRATION_FAILED` if a
 *   file cannot be run, or a statement fails
 * @throws {UsageError} for a number out of range, or a tag that is not in the folder or lies behind
 * @throws {SchemaMigrationError} with `schemas`, if some are not migrated; it has the report of all
 *
 * @example
 * const { applied } = await runMigrations({ connectionString: process.env.DATABASE_URL })
 * console.log(applied.map((migration) => migration.tag))
 */
export async function runMigrations (options: RunOptions & SchemaOptions): Promise<{ schemas: SchemaRun[] }>
export async function runMigrations (options?: RunOptions): Promise<{ applied: Migration[] }>
export async function runMigrations (options: RunOptions & Partial<SchemaOptions> = {}): Promise<{ applied: Migration[] } | { schemas: SchemaRun[] }> {
  checkMigrationCall('runMigrations()', options, runOptions)
  const { dryRun = false, to } = options
  const plan = (comparison: Comparison) => planUp(comparison, to)
  if (hasSchemas(options)) return { schemas: await runInSchemas(options, { plan, run: apply }) }
  if (dryRun) {
    const steps = await withClient(options, async (client) => plan(await compare(client, options)))
    return { applied: steps.map(({ migration }) => withoutText(migration)) }
  }
  const applied: Migration[] = []
  await apply(options, applied)
  return { applied }
}

/** Applies the pending migrations. Each is added to `applied` when it is done. */
async function apply (options: RunOptions & Placed, applied: Migration[]): Promise<void> {
  await withMigrationLock(options, async (connections) => {
    const comparison = await compare(connections.work, options)
    const steps = stepsIn(planUp(comparison, options.to), options)
    const work = startRun(connections, options, steps)
    await asDatabaseError(inTransaction(connections.work, async () => {
      if (steps.length > 0) await work.applied.create(comparison.layout, options.place === undefined)
      await work.applied.complete(comparison.applied, comparison.layout)
    }))
    for (const step of steps) {
      await runFile(work, step)
      applied.push(withoutText(step.migration))
    }
  })
}

/** The checks of {@link RunOptions}, and of a run over schemas. */
export const runOptions: OptionChecks<RunOptions & SchemaOptions> = { ...runnerOptions, ...schemaOptions, to: text }
