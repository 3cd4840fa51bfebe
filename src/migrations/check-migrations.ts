import { checkMigrationCall } from './history/check-migration-call.js'
import { isModelMigrated, modelOptions } from './generate/compare-model.js'
import { compare } from './history/compare.js'
import { compareSchemas } from './history/compare-schemas.js'
import { withClient } from './history/migration-client.js'
import { constraintProblems } from './constraint-problems.js'
import { migrationOptions } from './history/migration-options.js'
import { blockingProblems, unfinishedProblems } from './history/problems.js'
import { schemaOptions } from './history/schema-place.js'
import { unlistedFiles } from './history/unlisted-files.js'
import { isText } from '../runtime/option-checks.js'
import type { OptionChecks } from '../runtime/option-checks.js'
import type { ModelOptions } from './generate/compare-model.js'
import type { Comparison } from './history/compare.js'
import type { SchemaComparisons } from './history/compare-schemas.js'
import type { MigrationOptions } from './history/migration-options.js'
import type { MigrationProblem } from './history/problems.js'
import type { SchemaOptions } from './history/schema-place.js'

/** The result of a check. */
export interface MigrationCheck {
  /** Whether there is no problem. */
  readonly ok: boolean
  readonly problems: readonly MigrationProblem[]
}

/** The options of {@link checkMigrations}. With a `schema`, its tables are compared with the newest migration, too, which needs drizzle-kit. With `schemas`, the folder is compared with each of them. */
export interface CheckOptions extends MigrationOptions, ModelOptions {
  /** Names of constraints that must exist in the database, in a pending migration, or in the tables of `schema`: `Object.keys(errors.constraints)`. */
  readonly constraints?: readonly string[] | undefined
  /** The schemas to compare the folder with, as for {@link SchemaOptions}. */
  readonly schemas?: SchemaOptions['schemas'] | undefined
}

/**
 * Compares the folder with the database and, if there is a `schema`, the model with the folder. With `constraints`, it looks for constraints of these
 * names. It reports every difference instead of throwing at the first, and changes nothing.
 *
 * @throws {MigrationError} `DB_MIGRATION_MISSING` for a folder that cannot be read
 * @throws {ConnectionError} if the database does not answer
 * @throws {UsageError} for an unknown option or an unusable value
 *
 * @example
 * const { ok, problems } = await checkMigrations({ connectionString: process.env.DATABASE_URL })
 * if (!ok) console.error(problems.map(({ message }) => message).join('\n'))
 */
export async function checkMigrations (options: CheckOptions = {}): Promise<MigrationCheck> {
  checkMigrationCall('checkMigrations()', options, checkOptions)
  const { folder, compared } = await compareAll(options)
  const problems = [
    ...compared.flatMap(({ comparison, ...place }) => databaseProblems(comparison).map((problem) => ({ ...place, ...problem }))),
    ...await unlistedFiles(folder),
    ...options.schema === undefined ? [] : await modelProblems(options),
    ...await constraintProblems(options, compared.flatMap(({ comparison }) => comparison.pending))
  ]
  return { ok: problems.length === 0, problems }
}

/** The folder compared with the database, or with each of its `schemas`. */
async function compareAll ({ schemas, ...options }: CheckOptions): Promise<{ folder: SchemaComparisons['folder'], compared: ReadonlyArray<{ schema?: string, comparison: Comparison }> }> {
  if (schemas !== undefined) {
    const { folder, schemas: compared } = await compareSchemas({ ...options, schemas })
    return { folder, compared }
  }
  const comparison = await withClient(options, (client) => compare(client, options))
  return { folder: comparison, compared: [{ comparison }] }
}

async function modelProblems (options: ModelOptions): Promise<MigrationProblem[]> {
  if (await isModelMigrated(options)) return []
  return [{ kind: 'model', message: 'The tables of the model differ from the newest migration: write the next one with data-access migrate create' }]
}

/** All differences between files and rows, including pending files. */
export function databaseProblems (comparison: Comparison): MigrationProblem[] {
  const { layout, pending, progress } = comparison
  return [
    ...blockingProblems(comparison),
    ...(progress?.direction === 'up' ? unfinishedProblems(progress, layout) : []),
    ...pending.map(({ tag }) => ({ kind: 'pending', tag, message: `${layout.upFile(tag)} is not applied yet` } as const))
  ]
}

/** The checks of {@link CheckOptions}. */
export const checkOptions: OptionChecks<CheckOptions> = {
  ...migrationOptions,
  ...modelOptions,
  schemas: schemaOptions.schemas,
  constraints: [(value) => Array.isArray(value) && value.every(isText), 'must be a list of names of constraints: Object.keys(errors.constraints)']
}
