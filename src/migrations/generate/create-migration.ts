import { randomUUID } from 'node:crypto'
import { checkMigrationCall } from '../history/check-migration-call.js'
import { UsageError } from '../../errors/errors.js'
import { flag, isOptions, isText, text } from '../../runtime/option-checks.js'
import { readJournal } from '../folder/journal.js'
import { downName } from '../folder/migration-files.js'
import { sqlText, diffStatements } from './changes/diff-statements.js'
import { modelOptions, neededSchema, renamesBetween } from './compare-model.js'
import { customDownFile, downFileOf } from './down-file.js'
import { nextEntry, prefixOf, slug } from './migration-name.js'
import { loadDrizzleKit, snapshotOf } from './model/drizzle-kit.js'
import { newestSnapshot } from './snapshots/read-snapshots.js'
import { pretty, writeMigration } from './write-files.js'
import type { OptionChecks } from '../../runtime/option-checks.js'
import type { Diff } from './changes/diff-statements.js'
import type { ModelOptions, RenameOptions } from './compare-model.js'
import type { DownFile } from './down-file.js'
import type { Snapshot } from './snapshots/snapshot.js'

/** What {@link createMigration} takes. */
export interface CreateOptions extends ModelOptions, RenameOptions {
  /** What it does, in a few words; its file is named by them. */
  readonly message: string
  /**
   * `false` writes files for SQL of your own.
   * @defaultValue `true`
   */
  readonly autogenerate?: boolean | undefined
  /**
   * How files are numbered: drizzle-kit's `migrations.prefix`.
   * @defaultValue `'index'`
   */
  readonly prefix?: string | undefined
  /**
   * Whether statements are separated by `--> statement-breakpoint`: drizzle-kit's `breakpoints`.
   * @defaultValue `true`
   */
  readonly breakpoints?: boolean | undefined
}

/** A migration that was written. */
export interface CreatedMigration {
  /** The name of its files, without `.sql` and `.down.sql`. */
  readonly tag: string
  /** What its way back cannot restore; also written in the down file. */
  readonly irreversible: readonly string[]
}

/**
 * Writes the migration that leads from the newest one to the model, and its way back: drizzle-kit's files, and `<tag>.down.sql` beside them.
 * `created` is missing, and nothing is written, where the model has not changed.
 *
 * What a way back cannot restore is marked in its file, and rolling back over it wants to be confirmed: rows and values that the migration drops, and values that it
 * turns into a type with less room. That a way back drops what the migration added, with what was written there since, is only noted.
 *
 * @throws {MigrationError} `DB_MIGRATION_AMBIGUOUS` where something may have been renamed, and nobody can be asked; `DB_MIGRATION_LOCKED` when another process is writing a
 *   migration into the same folder; `DB_MIGRATION_FAILED` without drizzle-kit, without a schema, or when drizzle-kit refuses the model
 * @throws {UsageError} for an option that there is none, or that cannot be used
 *
 * @example
 * const { created } = await createMigration({ message: 'add a nickname', schema })
 * console.log(created?.tag ?? 'nothing to do')
 */
export async function createMigration (options: CreateOptions): Promise<{ created?: CreatedMigration }> {
  checkMigrationCall('createMigration()', options, createOptions)
  if (options.message === undefined) throw new UsageError('createMigration() needs a message, by which its file is named: createMigration({ message: "add a nickname", schema })')
  const { folder = './drizzle', autogenerate = true, prefix = 'index', breakpoints = true } = options
  const words = slug(options.message)
  const former = await readJournal(folder)
  const before = await newestSnapshot(folder, former.entries.map(({ tag }) => prefixOf(tag)))
  const draft = autogenerate ? await compareWith(before, options) : customDraft(before)
  if (draft === undefined) return {}
  const entry = nextEntry(former, { words, prefix, breakpoints })
  await writeMigration(folder, {
    former,
    journal: { ...former, entries: [...former.entries, entry] },
    files: {
      [`${entry.tag}.sql`]: sqlText(draft.statements, breakpoints),
      [downName(entry.tag)]: draft.down.text,
      [`meta/${prefixOf(entry.tag)}_snapshot.json`]: pretty({ ...draft.snapshot, _meta: { columns: {}, schemas: {}, tables: {} } })
    }
  })
  return { created: { tag: entry.tag, irreversible: draft.down.irreversible } }
}

interface Draft {
  readonly statements: readonly string[]
  readonly down: DownFile
  readonly snapshot: Snapshot
}

async function compareWith (before: Snapshot, options: CreateOptions): Promise<Draft | undefined> {
  const kit = await loadDrizzleKit()
  const after = snapshotOf(kit, neededSchema(options), { casing: options.casing, previous: before })
  const diff: Diff = { before, after, renames: await renamesBetween(before, after, options) }
  const statements = await diffStatements(kit, diff)
  if (statements.length === 0) return undefined
  return { statements, down: await downFileOf(kit, diff), snapshot: after }
}

/** The model as it was, with SQL to be written by hand. */
function customDraft (before: Snapshot): Draft {
  return {
    statements: ['-- Custom SQL migration file, put your code below! --'],
    down: customDownFile,
    snapshot: { ...before, id: randomUUID(), prevId: before.id }
  }
}

/** Of createMigration; its message has to be given. */
export const createOptions: OptionChecks<CreateOptions> = {
  ...modelOptions,
  message: text,
  autogenerate: flag,
  prefix: text,
  breakpoints: flag,
  renames: [(value) => isOptions(value) && Object.values(value).every(isText), 'must be an object of names: { old: new }'],
  terminal: [(value) => isOptions(value) && typeof Object(value['input']).on === 'function' && typeof Object(value['output']).write === 'function', 'must be an object of two streams, { input, output }']
}
