import { readdir } from 'node:fs/promises'
import { checkMigrationCall } from './history/check-migration-call.js'
import { downName } from './folder/migration-files.js'
import { isModelMigrated, modelOptions } from './generate/compare-model.js'
import { compare } from './history/compare.js'
import { migrationOptions, withClient } from './history/migration-options.js'
import { blockingProblems, unfinishedProblems } from './history/problems.js'
import type { OptionChecks } from '../runtime/option-checks.js'
import type { ModelOptions } from './generate/compare-model.js'
import type { Comparison } from './history/compare.js'
import type { MigrationOptions } from './history/migration-options.js'
import type { MigrationProblem } from './history/problems.js'

/** What a check came to. */
export interface MigrationCheck {
  /** Whether there is no problem. */
  readonly ok: boolean
  readonly problems: readonly MigrationProblem[]
}

/** What {@link checkMigrations} takes: with a `schema`, its tables are compared with the newest migration, too; that wants drizzle-kit. */
export interface CheckOptions extends MigrationOptions, ModelOptions {}

/**
 * Compares the folder with the database, and the model with the folder where there is a `schema`. Tells everything that does not fit instead of throwing at the
 * first; changes nothing.
 *
 * @throws {MigrationError} `DB_MIGRATION_MISSING` for a folder that cannot be read
 * @throws {ConnectionError} when the database does not answer
 * @throws {UsageError} for an option that there is none, or that cannot be used
 *
 * @example
 * const { ok, problems } = await checkMigrations({ connectionString: process.env.DATABASE_URL })
 * if (!ok) console.error(problems.map(({ message }) => message).join('\n'))
 */
export async function checkMigrations (options: CheckOptions = {}): Promise<MigrationCheck> {
  checkMigrationCall('checkMigrations()', options, checkOptions)
  const comparison = await withClient(options, (client) => compare(client, options))
  const problems = [
    ...databaseProblems(comparison),
    ...await unlisted(comparison),
    ...options.schema === undefined ? [] : await modelProblems(options)
  ]
  return { ok: problems.length === 0, problems }
}

/** SQL that nobody runs: drizzle-kit, too, goes by the journal. */
async function unlisted ({ folder, files }: Comparison): Promise<MigrationProblem[]> {
  const known = new Set(files.flatMap(({ tag }) => [`${tag}.sql`, downName(tag)]))
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql') && !known.has(name)).sort()
  return names.map((name) => ({
    kind: 'unlisted', tag: name.replace(/(?:\.down)?\.sql$/, ''), message: `${name} is in the folder, but not in meta/_journal.json, so that nobody runs it: bring back its entry, as after a merge, or move the file away`
  }))
}

async function modelProblems (options: ModelOptions): Promise<MigrationProblem[]> {
  if (await isModelMigrated(options)) return []
  return [{ kind: 'model', message: 'The tables of the model are not those of the newest migration: write the next one with data-access migrate create' }]
}

/** All that does not fit between files and rows, files that wait to be applied included. */
export function databaseProblems (comparison: Comparison): MigrationProblem[] {
  const { pending, progress } = comparison
  return [
    ...blockingProblems(comparison),
    ...(progress?.direction === 'up' ? unfinishedProblems(progress) : []),
    ...pending.map(({ tag }) => ({ kind: 'pending', tag, message: `${tag}.sql is not applied yet` } as const))
  ]
}

/** Of checkMigrations. */
export const checkOptions: OptionChecks<CheckOptions> = { ...migrationOptions, ...modelOptions }
