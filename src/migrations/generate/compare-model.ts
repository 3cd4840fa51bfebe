import { MigrationError } from '../../errors/errors.js'
import { oneOf, text } from '../../runtime/option-checks.js'
import { isSchema } from '../../settings/given-options.js'
import { readJournal } from '../folder/journal.js'
import { diffStatements } from './changes/diff-statements.js'
import { prefixOf } from './migration-name.js'
import { loadDrizzleKit, snapshotOf } from './model/drizzle-kit.js'
import { askRenames } from './renames/ask-renames.js'
import { decideByList, refuseToDecide, decideRenames } from './renames/decide-renames.js'
import { newestSnapshot } from './snapshots/read-snapshots.js'
import type { Casing } from '../../drizzle/casing.js'
import type { OptionChecks } from '../../runtime/option-checks.js'
import type { Terminal } from './renames/ask-renames.js'
import type { Rename } from './snapshots/rename.js'
import type { Snapshot } from './snapshots/snapshot.js'

/** A model, and the folder with whose migrations it is compared. */
export interface ModelOptions {
  /** The exports of the module that holds the tables: `import * as schema from './schema.js'`. */
  readonly schema?: Record<string, unknown> | undefined
  /**
   * drizzle-kit's `out`: the folder that holds the migrations; made when it is not there.
   * @defaultValue `'./drizzle'`
   */
  readonly folder?: string | undefined
  /** How names are written, as in `drizzle()` and drizzle.config.ts. */
  readonly casing?: Casing | undefined
}

/** Who says what was renamed. */
export interface RenameOptions {
  /**
   * Tables, enums, sequences and columns that go on under another name: `{ users: 'people', 'people.name': 'people.full_name' }`. Columns are named with
   * their table, by its new name. Where it is given, everything else that came is new, and everything else that went is dropped.
   * @defaultValue asked in a terminal, refused elsewhere
   */
  readonly renames?: Readonly<Record<string, string>> | undefined
  /**
   * Where a person can be asked.
   * @defaultValue standard input and standard error, where both are a terminal
   */
  readonly terminal?: Terminal | undefined
}

/**
 * The schema of the options.
 *
 * @throws {MigrationError} `DB_MIGRATION_FAILED` when there is none
 */
export function neededSchema ({ schema }: ModelOptions): Record<string, unknown> {
  if (schema !== undefined) return schema
  throw new MigrationError('There is no model to compare with: pass the exports of the module that holds your tables as schema, or autogenerate: false for SQL of your own', 'DB_MIGRATION_FAILED')
}

/** What was renamed between two snapshots, by the list that is given or by the word of a person. */
export async function renamesBetween (before: Snapshot, after: Snapshot, { renames, terminal = { input: process.stdin, output: process.stderr } }: RenameOptions): Promise<Rename[]> {
  if (renames === undefined) {
    const isTerminal = terminal.input.isTTY === true && terminal.output.isTTY === true
    return await decideRenames(before, after, isTerminal ? askRenames(terminal) : refuseToDecide)
  }
  const { decide, finish } = decideByList(renames)
  const decided = await decideRenames(before, after, decide)
  finish()
  return decided
}

/**
 * Whether the tables of a model are those of the newest migration.
 *
 * @throws {MigrationError} `DB_MIGRATION_FAILED` without drizzle-kit, or when it refuses the model
 */
export async function isModelMigrated (options: ModelOptions): Promise<boolean> {
  const { folder = './drizzle', casing } = options
  const before = await newestSnapshot(folder, (await readJournal(folder)).entries.map(({ tag }) => prefixOf(tag)))
  const kit = await loadDrizzleKit()
  const after = snapshotOf(kit, neededSchema(options), { casing, previous: before })
  // Whether something was renamed makes no difference to whether something has changed.
  return (await diffStatements(kit, { before, after, renames: [] })).length === 0
}

export const modelOptions: OptionChecks<ModelOptions> = {
  schema: [isSchema, "must be what the module of the tables exports: import * as schema from './schema.js'"],
  folder: text,
  casing: oneOf('snake_case', 'camelCase')
}
