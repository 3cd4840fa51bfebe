import { databaseProblems, type MigrationCheck } from './check-migrations.js'
import { compare, isKnown, type Comparison } from './history/compare.js'
import type { Migration } from './folder/migration-files.js'
import { migrationOptions, type MigrationOptions, withClient } from './history/migration-options.js'
import { checkMigrationCall } from './history/check-migration-call.js'
import { planUp } from './history/plan.js'
import { refuse, appliedProblems } from './history/problems.js'

/**
 * The migrations that were applied to the database, in the order in which that happened.
 *
 * @throws {MigrationError} `DB_MIGRATION_EDITED` or `DB_MIGRATION_MISSING` when one of them is not what the folder has
 */
export async function getMigrationHistory (options: MigrationOptions = {}): Promise<Migration[]> {
  return historyFor('getMigrationHistory()', options)
}

async function historyFor (call: string, options: MigrationOptions): Promise<Migration[]> {
  checkMigrationCall(call, options, migrationOptions)
  const comparison = await withClient(options, (client) => compare(client, options))
  refuse(comparison.applied.flatMap((migration) => appliedProblems(migration, comparison.folder)))
  return appliedOf(comparison)
}

/** The migration that was applied last, `undefined` where there is none. */
export async function getCurrentMigration (options: MigrationOptions = {}): Promise<Migration | undefined> {
  return (await historyFor('getCurrentMigration()', options)).at(-1)
}

/**
 * The migrations that {@link runMigrations} would apply now, in that order.
 *
 * @throws {MigrationError} as that does, when folder and database do not fit
 */
export async function getPendingMigrations (options: MigrationOptions = {}): Promise<Migration[]> {
  checkMigrationCall('getPendingMigrations()', options, migrationOptions)
  const comparison = await withClient(options, (client) => compare(client, options))
  return planUp(comparison, undefined).map(({ migration }) => withoutText(migration))
}

/** What was applied, edited files included, and all that does not fit: from one look at folder and database. */
export async function readStatus (options: MigrationOptions): Promise<MigrationCheck & { readonly applied: Migration[] }> {
  const comparison = await withClient(options, (client) => compare(client, options))
  const problems = databaseProblems(comparison)
  return { ok: problems.length === 0, problems, applied: appliedOf(comparison) }
}

function appliedOf ({ applied }: Comparison): Migration[] {
  return applied.filter(isKnown).map(({ file, row: { appliedAt } }) => withoutText({ ...file, ...(appliedAt !== undefined && { appliedAt }) }))
}

/** What a user sees of a migration: all but its SQL. */
export function withoutText ({ tag, when, hash, appliedAt, hasDown }: Migration): Migration {
  return { tag, when, hash, ...(appliedAt !== undefined && { appliedAt }), hasDown }
}
