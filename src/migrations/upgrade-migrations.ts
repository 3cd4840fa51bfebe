import { checkMigrationCall } from './history/check-migration-call.js'
import { flag } from '../runtime/option-checks.js'
import { inTransaction } from './history/in-transaction.js'
import { urlOfEnvironment, withClient } from './history/migration-client.js'
import { migrationOptions } from './history/migration-options.js'
import { withMigrationLock } from './runner/runner-lock.js'
import { changeFolder, listChanges } from './upgrade/folder-change.js'
import { readFolderState } from './upgrade/folder-state.js'
import { planReturn } from './upgrade/plan-return.js'
import { planUpgrade } from './upgrade/plan-upgrade.js'
import { planTable } from './upgrade/table-change.js'
import type { Client } from 'pg'
import type { OptionChecks } from '../runtime/option-checks.js'
import type { MigrationOptions } from './history/migration-options.js'
import type { FileChange } from './upgrade/folder-change.js'
import type { TableChange } from './upgrade/table-change.js'

/** The options of {@link upgradeMigrations}. */
export interface UpgradeOptions extends MigrationOptions {
  /**
   * The database whose table is upgraded, too. With `''`, only the folder is.
   * @defaultValue `DATABASE_DIRECT_URL`, else `DATABASE_URL`; without them, only the folder is upgraded
   */
  readonly connectionString?: string | undefined
  /**
   * Makes the changes. Without it, they are only reported.
   * @defaultValue `false`
   */
  readonly write?: boolean | undefined
  /**
   * Goes back to the layout and the table of 0.31.
   * @defaultValue `false`
   */
  readonly back?: boolean | undefined
}

/** The changes of {@link upgradeMigrations}. */
export interface MigrationUpgrade {
  /** Whether the changes were made. */
  readonly written: boolean
  /** The changes of the folder, with paths within it; none if it has the layout already. */
  readonly files: readonly FileChange[]
  /** The changes of the table, if a database is given. */
  readonly table?: TableChange
}

/**
 * Moves a folder from the layout of drizzle-kit 0.31 to that of 1.0, with its ways back, and upgrades the table of applied migrations of a database. The
 * SQL keeps its bytes, so its hashes still match. Without `write` it reports the changes and makes none. The table is upgraded under the lock of all
 * runners, in one transaction. An interrupted upgrade can be run again.
 *
 * It needs drizzle-kit 1.0 to convert the snapshots. The journal and the former snapshots stay in `meta/`, where `back` finds them.
 *
 * @throws {MigrationError} `DB_MIGRATION_MISSING` if a file is missing or unreadable, or the database has a migration that the folder lacks;
 *   `DB_MIGRATION_EDITED` if an applied file was edited; `DB_MIGRATION_NO_DOWN` if `back` cannot restore the folder; `DB_MIGRATION_LOCKED` if another process
 *   runs or writes migrations for too long; `DB_MIGRATION_FAILED` without drizzle-kit 1.0, if it refuses the snapshots, or if a file cannot be written
 * @throws {ConnectionError} if the database does not answer
 * @throws {UsageError} for an unknown option or an unusable value
 *
 * @example
 * const { files } = await upgradeMigrations({ folder: './drizzle' })
 * for (const { from, to } of files) console.log(from, to)
 */
export async function upgradeMigrations (options: UpgradeOptions = {}): Promise<MigrationUpgrade> {
  checkMigrationCall('upgradeMigrations()', options, upgradeOptions)
  const { folder = './drizzle', write = false, back = false } = options
  const state = await readFolderState(folder)
  const change = await (back ? planReturn(state) : planUpgrade(state))
  const files = listChanges(change)
  if (!hasDatabase(options)) {
    if (write) await changeFolder(folder, change)
    return { written: write, files }
  }
  const plan = (client: Client) => inTransaction(client, () => planTable(client, state, options))
  if (!write) return { written: false, files, table: (await withClient(options, (client) => plan(client))).change }
  return withMigrationLock(options, async ({ work }) => {
    const table = await plan(work)
    await table.applyWith(() => changeFolder(folder, change))
    return { written: true, files, table: table.change }
  })
}

function hasDatabase ({ database, connectionString = urlOfEnvironment(process.env) }: UpgradeOptions): boolean {
  return database !== undefined || connectionString !== ''
}

/** The checks of {@link UpgradeOptions}. */
export const upgradeOptions: OptionChecks<UpgradeOptions> = { ...migrationOptions, write: flag, back: flag }
