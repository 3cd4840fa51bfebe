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

/** The options of {@link createMigration}. */
export interface CreateOptions extends ModelOptions, RenameOptions {
  /** What the migration does, in a few words. Its files are named after them. */
  readonly message: string
  /**
   * `false` writes files for SQL of your own.
   * @defaultValue `true`
   */
  readonly autogenerate?: boolean | undefined
  /**
   * The numbering of files: drizzle-kit's `migrations.prefix`.
   * @defaultValue `'index'`
   */
  readonly prefix?: string | undefined
  /**
   * Whether statements are separated by `--> statement-breakpoint`: drizzle-kit's `breakpoints`.
   * @defaultValue `true`
   */
  readonly breakpoints?: boolean | undefined
}

/** A migration whose files were written. */
export interface CreatedMigration {
  /** Its file name without `.sql` or `.down.sql`. */
  readonly tag: string
  /** What its way back cannot restore. The down file says the same. */
  readonly irreversible: readonly string[]
}

/**
 * Writes the migration that leads from the newest one to the model, with its way back: drizzle-kit's files, and `<tag>.down.sql` beside them.
 * If the model has not changed, nothing is written and `created` is missing.
 *
 * A down file lists what it cannot restore: rows and values that the migration drops, and values that it converts to a narrower type. Rolling back over it
 * needs confirmation. A way back also drops what the migration added, with everything written there since. A comment says so; it needs no confirmation.
 *
 * @throws {MigrationError} `DB_MIGRATION_AMBIGUOUS` if something may have been renamed, and there is no terminal to ask in; `DB_MIGRATION_LOCKED` if another
 *   process is writing a migration into the same folder; `DB_MIGRATION_FAILED` without drizzle-kit, without a schema, or if drizzle-kit refuses the model
 * @throws {UsageError} for an unknown option or an unusable value
 *
 * @example
 * const { created } = await createMigration({ message: 'add a nickname', schema })
 * console.log(created?.tag ?? 'nothing to do')
 */
export async function createMigration (options: CreateOptions): Promise<{ created?: CreatedMigration }> {
  checkMigrationCall('createMigration()', options, createOptions)
  if (options.message === undefined) throw new UsageError('createMigration() needs a message, after which its files are named: createMigration({ message: "add a nickname", schema })')
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

/** An unchanged model, with files for handwritten SQL. */
function customDraft (before: Snapshot): Draft {
  return {
    statements: ['-- Custom SQL migration file, put your code below! --'],
    down: customDownFile,
    snapshot: { ...before, id: randomUUID(), prevId: before.id }
  }
}

/** The checks of {@link CreateOptions}. */
export const createOptions: OptionChecks<CreateOptions> = {
  ...modelOptions,
  message: text,
  autogenerate: flag,
  prefix: text,
  breakpoints: flag,
  renames: [(value) => isOptions(value) && Object.values(value).every(isText), 'must be an object of names: { old: new }'],
  terminal: [(value) => isOptions(value) && typeof Object(value['input']).on === 'function' && typeof Object(value['output']).write === 'function', 'must be an object of two streams, { input, output }']
}
