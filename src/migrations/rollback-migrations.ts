import { checkMigrationCall } from './history/check-migration-call.js'
import { UsageError } from '../errors/errors.js'
import { flag, text } from '../runtime/option-checks.js'
import { compare } from './history/compare.js'
import { runnerOptions, withClient } from './history/migration-options.js'
import { limits } from './history/option-limits.js'
import { planDown } from './history/plan.js'
import { withoutText } from './migration-status.js'
import { startRun } from './runner/run-context.js'
import { runFile } from './runner/run-file.js'
import { withMigrationLock } from './runner/runner-lock.js'
import type { OptionChecks } from '../runtime/option-checks.js'
import type { Migration } from './folder/migration-files.js'
import type { RunnerOptions } from './history/migration-options.js'

/** What {@link rollbackMigrations} takes. */
export interface RollbackOptions extends RunnerOptions {
  /**
   * How many to undo, from the newest on; all where there are fewer. Not beside `to`.
   * @defaultValue `1`
   */
  readonly steps?: number | undefined
  /** The tag that stays as the newest one applied; `'nothing'` undoes all. */
  readonly to?: string | undefined
  /**
   * Goes back although a down file says that it cannot restore everything.
   * @defaultValue `false`
   */
  readonly confirmIrreversible?: boolean | undefined
}

/**
 * Undoes the migrations that were applied last, newest first, by their files `<tag>.down.sql`: one transaction for each file, with the row that noted it.
 * Before anything is touched it is known that each of them has a way back.
 *
 * @throws {MigrationError} `DB_MIGRATION_NO_DOWN`, `DB_MIGRATION_EDITED`, `DB_MIGRATION_MISSING` or `DB_MIGRATION_IRREVERSIBLE` when one of them cannot be undone, before anything is changed;
 *   `DB_MIGRATION_LOCKED` and `DB_MIGRATION_FAILED` as {@link runMigrations} does
 * @throws {UsageError} for a number of steps that is none, or a tag that is not applied
 *
 * @example
 * const { rolledBack } = await rollbackMigrations({ steps: 2 })
 * console.log(rolledBack.map((migration) => migration.tag))
 */
export async function rollbackMigrations (options: RollbackOptions = {}): Promise<{ rolledBack: Migration[] }> {
  checkMigrationCall('rollbackMigrations()', options, rollbackOptions)
  const { dryRun = false, steps: count, to } = options
  if (count !== undefined && to !== undefined) throw new UsageError('steps and to exclude each other: give one of them')
  if (dryRun) {
    const steps = await withClient(options, async (client) => planDown(await compare(client, options), options))
    return { rolledBack: steps.map(({ migration }) => withoutText(migration)) }
  }
  return withMigrationLock(options, async (connections) => {
    const steps = await planDown(await compare(connections.work, options), options)
    const work = await startRun(connections, options)
    for (const step of steps) await runFile(work, step)
    return { rolledBack: steps.map(({ migration }) => withoutText(migration)) }
  })
}

/** Of rollbackMigrations. */
export const rollbackOptions: OptionChecks<RollbackOptions> = { ...runnerOptions, steps: limits.steps, to: text, confirmIrreversible: flag }
