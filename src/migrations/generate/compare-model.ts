import { MigrationError } from '../../errors/errors.js'
import { oneOf, text } from '../../runtime/option-checks.js'
import { isSchema } from '../../settings/given-options.js'
import { auditChanges, hasChanges } from './audit-changes.js'
import { diffStatements } from './changes/diff-statements.js'
import { installedKit } from './installed-kit.js'
import { askRenames } from './renames/ask-renames.js'
import { decideByList, refuseToDecide, decideRenames } from './renames/decide-renames.js'
import type { Casing } from '../../drizzle/casing.js'
import type { OptionChecks } from '../../runtime/option-checks.js'
import type { Terminal } from '../../runtime/questions.js'
import type { Rename } from './snapshots/rename.js'
import type { Snapshot } from './snapshots/snapshot.js'

/** A model, and the folder of the migrations with which it is compared. */
export interface ModelOptions {
  /** The exports of the module that holds the tables: `import * as schema from './schema.js'`. */
  readonly schema?: Record<string, unknown> | undefined
  /**
   * drizzle-kit's `out`: the folder of the migrations. It is created if it does not exist.
   * @defaultValue `'./drizzle'`
   */
  readonly folder?: string | undefined
  /** The casing of names, as in `drizzle()` and drizzle.config.ts. */
  readonly casing?: Casing | undefined
}

/** How renames are decided. */
export interface RenameOptions {
  /**
   * The renamed tables, enums, sequences and columns: `{ users: 'people', 'people.name': 'people.full_name' }`. Columns are named with their table, by its
   * new name. If it is given, everything else that is new is created, and everything else that is gone is dropped.
   * @defaultValue asked in a terminal, refused elsewhere
   */
  readonly renames?: Readonly<Record<string, string>> | undefined
  /**
   * The terminal in which the user is asked.
   * @defaultValue standard input and standard error, if both are a terminal
   */
  readonly terminal?: Terminal | undefined
  /** Ends the questions when aborted. Then nothing is written. */
  readonly signal?: AbortSignal | undefined
}

/**
 * The schema of the options.
 *
 * @throws {MigrationError} `DB_MIGRATION_FAILED` if there is none
 */
export function neededSchema ({ schema }: ModelOptions): Record<string, unknown> {
  if (schema !== undefined) return schema
  throw new MigrationError('There is no model to compare with: pass the exports of the module with your tables as schema, or autogenerate: false for SQL of your own', 'DB_MIGRATION_FAILED')
}

/** The renames between two snapshots, from the given list or from the user's answers. */
export async function renamesBetween (before: Snapshot, after: Snapshot, { renames, terminal = { input: process.stdin, output: process.stderr }, signal }: RenameOptions): Promise<Rename[]> {
  if (renames === undefined) {
    const isTerminal = terminal.input.isTTY === true && terminal.output.isTTY === true
    return await decideRenames(before, after, isTerminal ? askRenames(terminal, signal) : refuseToDecide)
  }
  const { decide, finish } = decideByList(renames)
  const decided = await decideRenames(before, after, decide)
  finish()
  return decided
}

/**
 * Whether the tables of a model match the newest migration.
 *
 * @throws {MigrationError} `DB_MIGRATION_FAILED` without drizzle-kit, or if it refuses the model
 */
export async function isModelMigrated (options: ModelOptions): Promise<boolean> {
  const { folder = './drizzle', casing } = options
  const schema = neededSchema(options)
  const kit = installedKit()
  const source = await kit.open(folder)
  if (hasChanges(await auditChanges(folder, { schema, casing }))) return false
  // Renames do not matter here: they count as a change in any case.
  const draft = await source.draft({ model: { schema, casing, renames: [] }, words: 'check', breakpoints: true })
  return draft === undefined || (await diffStatements(kit, { before: source.newest, after: draft.after, renames: [] })).length === 0
}

/** The checks of {@link ModelOptions}. */
export const modelOptions: OptionChecks<ModelOptions> = {
  schema: [isSchema, "must be the exports of the module with the tables: import * as schema from './schema.js'"],
  folder: text,
  casing: oneOf('snake_case', 'camelCase')
}
