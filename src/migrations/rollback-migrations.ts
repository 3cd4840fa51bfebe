import { checkMigrationCall } from './history/check-migration-call.js'
import { UsageError } from '../errors/errors.js'
import { flag, text } from '../runtime/option-checks.js'
import { compare } from './history/compare.js'
import { withClient } from './history/migration-client.js'
import { runnerOptions } from './history/migration-options.js'
import { limits } from './history/option-limits.js'
import { planDown } from './history/plan.js'
import { withoutText } from './migration-status.js'
import { startRun } from './runner/run-context.js'
import { runFile } from './runner/run-file.js'
import { withMigrationLock } from './runner/runner-lock.js'
import type { OptionChecks } from '../runtime/option-checks.js'
import type { Migration } from './folder/migration-files.js'
import type { RunnerOptions } from './history/migration-options.js'

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
   * Rolls back even if a down file says that it cannot restore everything.
   * @defaultValue `false`
   */
  readonly confirmIrreversible?: boolean | undefined
}

/**
 * Undoes the newest migrations, newest first, with their files `<tag>.down.sql`, or `<tag>/down.sql`. Each file is one transaction, together with the row that
 * records the migration. All files are checked before the first one runs.
 *
 * @throws {MigrationError} `DB_MIGRATION_NO_DOWN`, `DB_MIGRATION_EDITED`, `DB_MIGRATION_MISSING` or `DB_MIGRATION_IRREVERSIBLE` if one of them
 *   cannot be undone, before anything is changed;
 *   `DB_MIGRATION_LOCKED` and `DB_MIGRATION_FAILED` like {@link runMigrations}
 * @throws {UsageError} for an invalid number of steps, or a tag that is not applied
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
    const work = startRun(connections, options, steps)
    for (const step of steps) await runFile(work, step)
    return { rolledBack: steps.map(({ migration }) => withoutText(migration)) }
  })
}

/** The checks of {@link RollbackOptions}. */
export const rollbackOptions: OptionChecks<RollbackOptions> = { ...runnerOptions, steps: limits.steps, to: text, confirmIrreversible: flag }
