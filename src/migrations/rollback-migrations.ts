import { checkMigrationCall } from './history/check-migration-call.js'
import { UsageError } from '../errors/errors.js'
import { flag, text } from '../runtime/option-checks.js'
import { compare } from './history/compare.js'
import { withClient } from './history/migration-client.js'
import { runnerOptions } from './history/migration-options.js'
import { limits } from './history/option-limits.js'
import { planDown } from './history/plan.js'
import { hasSchemas, schemaOptions } from './history/schema-place.js'
import { stepsIn } from './history/step.js'
import { withoutText } from './migration-status.js'
import { runInSchemas } from './run-in-schemas.js'
import { countDroppedRows, refuseLosses } from './runner/dropped-rows.js'
import { attemptLocked } from './runner/retry-locked.js'
import { startRun } from './runner/run-context.js'
import { runFile } from './runner/run-file.js'
import { withMigrationLock } from './runner/runner-lock.js'
import type { Client } from 'pg'
import type { OptionChecks } from '../runtime/option-checks.js'
import type { Migration } from './folder/migration-files.js'
import type { Comparison } from './history/compare.js'
import type { RunnerOptions } from './history/migration-options.js'
import type { Placed, SchemaOptions } from './history/schema-place.js'
import type { MigrationStep } from './history/step.js'
import type { DroppedRows } from './runner/dropped-rows.js'
import type { SchemaRun } from './schema-migration-error.js'

/** The options of {@link rollbackMigrations}. */
export interface RollbackOptions extends RunnerOptions {
  /**
   * How many migrations to undo, from the newest on; all if there are fewer. It excludes `to`.
   * @defaultValue `1`
   */
  readonly steps?: number | undefined
  /** The tag that stays as the newest applied one; `'nothing'` undoes all. */
  readonly to?: string | undefined
  /**
   * Rolls back even if a down file says that it cannot restore everything, or drops tables with rows or columns with values.
   * @defaultValue `false`
   */
  readonly confirmIrreversible?: boolean | undefined
}

/** What {@link rollbackMigrations} has undone. */
export interface Rollback {
  /** The migrations, newest first. */
  readonly rolledBack: Migration[]
  /** The rows and values that were dropped; usually none. */
  readonly lost: readonly DroppedRows[]
}

/**
 * Undoes the newest migrations, newest first, with their files `<tag>.down.sql`, or `<tag>/down.sql`. Each file is one transaction, together with the row that
 * records the migration. All files are checked before the first one runs. The rows of the tables that they drop are counted, and the values that are not NULL
 * of the columns; if there are any, nothing is changed without `confirmIrreversible`. `lost` tells what was dropped, or with `dryRun` what would be.
 *
 * With `schemas` the migrations are undone in each of these schemas, one after the other, down to the tag `to`.
 *
 * @throws {MigrationError} `DB_MIGRATION_NO_DOWN`, `DB_MIGRATION_EDITED`, `DB_MIGRATION_MISSING` or `DB_MIGRATION_IRREVERSIBLE` if one of them
 *   cannot be undone, before anything is changed;
 *   `DB_MIGRATION_LOCKED` and `DB_MIGRATION_FAILED` like {@link runMigrations}
 * @throws {UsageError} for an invalid number of steps, or a tag that is not applied
 * @throws {SchemaMigrationError} with `schemas`, if some are not rolled back; it has the report of all
 *
 * @example
 * const { rolledBack } = await rollbackMigrations({ steps: 2 })
 * console.log(rolledBack.map((migration) => migration.tag))
 */
export async function rollbackMigrations (options: RollbackOptions & SchemaOptions & { readonly to: string }): Promise<{ schemas: SchemaRun[] }>
export async function rollbackMigrations (options?: RollbackOptions): Promise<Rollback>
export async function rollbackMigrations (options: RollbackOptions & Partial<SchemaOptions> = {}): Promise<Rollback | { schemas: SchemaRun[] }> {
  checkMigrationCall('rollbackMigrations()', options, rollbackOptions)
  const { dryRun = false, steps: count, to } = options
  if (count !== undefined && to !== undefined) throw new UsageError('steps and to exclude each other: give one of them')
  if (hasSchemas(options)) {
    if (to === undefined) throw new UsageError('A rollback in several schemas needs to: if it were repeated with steps, it would undo more where it had succeeded')
    return { schemas: await runInSchemas(options, { plan: (comparison, place) => dryRun ? planIn({ ...options, place }, comparison) : planDown(comparison, options), run: undo }) }
  }
  if (dryRun) {
    const { steps, lost } = await rehearse(options, (client) => compare(client, options))
    return { rolledBack: steps.map(({ migration }) => withoutText(migration)), lost }
  }
  const rolledBack: Migration[] = []
  return { rolledBack, lost: await undo(options, rolledBack) }
}

/** The steps of a dry run in one schema. */
async function planIn (options: RollbackOptions & Placed, comparison: Comparison): Promise<MigrationStep[]> {
  return (await rehearse(options, async () => comparison)).steps
}

/** The steps of a dry run, and what they would lose. */
async function rehearse (options: RollbackOptions & Placed, comparison: (client: Client) => Promise<Comparison>): Promise<{ steps: MigrationStep[], lost: DroppedRows[] }> {
  return await withClient(options, async (client) => {
    const steps = await plan(await comparison(client), options)
    const lost = await countDroppedRows(client, steps, options)
    refuseLosses(steps, lost, options)
    return { steps, lost }
  })
}

async function plan (comparison: Comparison, options: RollbackOptions & Placed): Promise<MigrationStep[]> {
  return stepsIn(await planDown(comparison, options), options)
}

/** Undoes migrations. Each is added to `undone` when it is done. Returns what is lost. */
async function undo (options: RollbackOptions & Placed, undone: Migration[]): Promise<DroppedRows[]> {
  return await withMigrationLock(options, async (connections) => {
    const steps = await plan(await compare(connections.work, options), options)
    const work = startRun(connections, options, steps)
    const lost = await countDroppedRows(work.client, steps, { ...options, attempt: (step, count) => attemptLocked(work, step, count) })
    refuseLosses(steps, lost, options)
    for (const step of steps) {
      await runFile(work, step)
      undone.push(withoutText(step.migration))
    }
    return lost
  })
}

/** The checks of {@link RollbackOptions}, and of a rollback in several schemas. */
export const rollbackOptions: OptionChecks<RollbackOptions & SchemaOptions> = { ...runnerOptions, ...schemaOptions, steps: limits.steps, to: text, confirmIrreversible: flag }
