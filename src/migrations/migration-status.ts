import { databaseProblems, type MigrationCheck } from './check-migrations.js'
import { compare, isKnown, type Comparison } from './history/compare.js'
import { compareSchemas } from './history/compare-schemas.js'
import type { SchemaOptions } from './history/schema-place.js'
import type { Migration } from './folder/migration-files.js'
import { withClient } from './history/migration-client.js'
import { migrationOptions, type MigrationOptions } from './history/migration-options.js'
import { checkMigrationCall } from './history/check-migration-call.js'
import { planUp } from './history/plan.js'
import { refuse, appliedProblems } from './history/problems.js'

/**
 * Returns the applied migrations, in the order in which they were applied.
 *
 * @throws {MigrationError} `DB_MIGRATION_EDITED` or `DB_MIGRATION_MISSING` if one of them differs from the folder
 */
export async function getMigrationHistory (options: MigrationOptions = {}): Promise<Migration[]> {
  return historyFor('getMigrationHistory()', options)
}

async function historyFor (call: string, options: MigrationOptions): Promise<Migration[]> {
  checkMigrationCall(call, options, migrationOptions)
  const comparison = await withClient(options, (client) => compare(client, options))
  refuse(comparison.applied.flatMap((migration) => appliedProblems(migration, comparison)))
  return appliedOf(comparison)
}

/** Returns the migration that was applied last, or `undefined` if there is none. */
export async function getCurrentMigration (options: MigrationOptions = {}): Promise<Migration | undefined> {
  return (await historyFor('getCurrentMigration()', options)).at(-1)
}

/**
 * Returns the migrations that {@link runMigrations} would apply now, in order.
 *
 * @throws {MigrationError} like {@link runMigrations}, if folder and database do not match
 */
export async function getPendingMigrations (options: MigrationOptions = {}): Promise<Migration[]> {
  checkMigrationCall('getPendingMigrations()', options, migrationOptions)
  const comparison = await withClient(options, (client) => compare(client, options))
  return planUp(comparison, undefined).map(({ migration }) => withoutText(migration))
}

/** The applied migrations, including edited ones, and all problems, from one comparison of folder and database. */
export async function readStatus (options: MigrationOptions): Promise<MigrationCheck & { readonly applied: Migration[] }> {
  const comparison = await withClient(options, (client) => compare(client, options))
  const problems = databaseProblems(comparison)
  return { ok: problems.length === 0, problems, applied: appliedOf(comparison) }
}

/** The same for each schema, in order. */
export async function readSchemaStatus (options: MigrationOptions & SchemaOptions): Promise<Array<MigrationCheck & { readonly schema: string, readonly applied: Migration[] }>> {
  const { schemas } = await compareSchemas(options)
  return schemas.map(({ schema, comparison }) => {
    const problems = databaseProblems(comparison)
    return { schema, ok: problems.length === 0, problems, applied: appliedOf(comparison) }
  })
}

function appliedOf ({ applied }: Comparison): Migration[] {
  return applied.filter(isKnown).map(({ file, row: { appliedAt } }) => withoutText({ ...file, ...(appliedAt !== undefined && { appliedAt }) }))
}

/** A migration without its SQL, as callers get it. */
export function withoutText ({ tag, when, hash, appliedAt, hasDown }: Migration): Migration {
  return { tag, when, hash, ...(appliedAt !== undefined && { appliedAt }), hasDown }
}
