import { UsageError } from '../../errors/errors.js'
import { flag, isOptions, isText, text } from '../../runtime/option-checks.js'
import { findBlockingIn } from '../blocking/check-folder.js'
import { checkMigrationCall } from '../history/check-migration-call.js'
import { runnerOptions } from '../history/migration-options.js'
import { auditChanges, hasChanges, withAudits } from './audit-changes.js'
import { diffStatements, sqlText } from './changes/diff-statements.js'
import { modelOptions, neededSchema, renamesBetween } from './compare-model.js'
import { customDownFile, downFileOf } from './down-file.js'
import { installedKit } from './installed-kit.js'
import { slug } from './migration-name.js'
import type { OptionChecks } from '../../runtime/option-checks.js'
import type { BlockingStatement } from '../blocking/find-blocking.js'
import type { ModelOptions, RenameOptions } from './compare-model.js'
import type { DownFile } from './down-file.js'
import type { Draft, DraftOptions, GeneratedFolder } from './kit/kit.js'
import type { Diff } from './snapshots/diff.js'
import type { Rename } from './snapshots/rename.js'

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
   * The numbering of files: drizzle-kit's `migrations.prefix`. drizzle-kit 1.0 has `'timestamp'` only.
   * @defaultValue `'index'`; `'timestamp'` with drizzle-kit 1.0
   */
  readonly prefix?: string | undefined
  /**
   * Whether statements are separated by `--> statement-breakpoint`: drizzle-kit's `breakpoints`.
   * @defaultValue `true`
   */
  readonly breakpoints?: boolean | undefined
}

/** A migration whose way back was written. */
export interface WrittenMigration {
  /** Its file name without `.sql` or `.down.sql`; in the layout of drizzle-kit 1.0 the name of its folder. */
  readonly tag: string
  /** What its way back cannot restore. The down file says the same. */
  readonly irreversible: readonly string[]
}

/** A migration whose files were written. */
export interface CreatedMigration extends WrittenMigration {
  /** Its statements that would block a table in use, each with the steps that do not. A table that the migration creates itself is not in use. */
  readonly blocking: readonly BlockingStatement[]
}

/**
 * Writes the migration that leads from the newest one to the model, with its way back: drizzle-kit's files, and `<tag>.down.sql` beside them, or
 * `<tag>/down.sql` in the layout of drizzle-kit 1.0.
 * If the model has not changed, nothing is written and `created` is missing.
 *
 * A down file lists what it cannot restore: rows and values that the migration drops, and values that it converts to a narrower type. Rolling back over it
 * needs confirmation. A way back also drops what the migration added, with everything written there since. A comment says so; a
 * rollback counts the rows and values, and needs confirmation if there are any.
 *
 * @throws {MigrationError} `DB_MIGRATION_AMBIGUOUS` if something may have been renamed, and there is no terminal to ask in or no answer;
 *   `DB_MIGRATION_LOCKED` if another process is writing a migration into the same folder; `DB_MIGRATION_FAILED` without drizzle-kit, without a schema, or if drizzle-kit refuses the model
 * @throws {UsageError} for an unknown option or an unusable value
 *
 * @example
 * const { created } = await createMigration({ message: 'add a nickname', schema })
 * console.log(created?.tag ?? 'nothing to do')
 */
export async function createMigration (options: CreateOptions): Promise<{ created?: CreatedMigration }> {
  checkMigrationCall('createMigration()', options, createOptions)
  if (options.message === undefined) throw new UsageError('createMigration() needs a message, after which its files are named: createMigration({ message: "add a nickname", schema })')
  const { folder = './drizzle', autogenerate = true, breakpoints = true } = options
  const names = { words: slug(options.message), prefix: options.prefix, breakpoints }
  const source = await installedKit().open(folder)
  const planned = autogenerate ? await compareModel(source, names, options) : await planCustom(source, names)
  if (planned === undefined) return {}
  const { draft, statements, down } = planned
  await draft.write({ up: sqlText(statements, breakpoints), down: down.text })
  const blocking = await findBlockingIn(folder, { isChecked: ({ tag }) => tag === draft.tag, areTogether: true })
  return { created: { tag: draft.tag, irreversible: down.irreversible, blocking } }
}

interface Planned {
  readonly draft: Draft
  readonly statements: readonly string[]
  readonly down: DownFile
}

async function compareModel (source: GeneratedFolder, names: Omit<DraftOptions, 'model'>, options: CreateOptions): Promise<Planned | undefined> {
  const kit = installedKit()
  const { casing, folder = './drizzle' } = options
  const schema = neededSchema(options)
  const audits = await auditChanges(folder, { schema, casing })
  const draftWith = async (renames: readonly Rename[]) => await source.draft({ ...names, model: { schema, casing, renames } })
  // Without a change of the tables, the audits may have changed.
  const first = await draftWith([]) ?? (hasChanges(audits) ? await source.draft(names) : undefined)
  if (first === undefined) return undefined
  const renames = await renamesBetween(source.newest, first.after, options)
  // A rename is a change, so there is something to do.
  const draft = renames.length === 0 ? first : (await draftWith(renames))!
  const diff: Diff = { before: source.newest, after: draft.after, renames }
  const statements = withAudits(await diffStatements(kit, diff), audits.up)
  return statements.length === 0 ? undefined : { draft, statements, down: await downFileOf(kit, diff, audits) }
}

/** An unchanged model, with files for handwritten SQL. */
async function planCustom (source: GeneratedFolder, names: Omit<DraftOptions, 'model'>): Promise<Planned> {
  const draft = await source.draft(names)
  return { draft: draft!, statements: ['-- Custom SQL migration file, put your code below! --'], down: customDownFile }
}

/** The checks of {@link CreateOptions}. */
export const createOptions: OptionChecks<CreateOptions> = {
  ...modelOptions,
  message: text,
  autogenerate: flag,
  prefix: text,
  breakpoints: flag,
  renames: [(value) => isOptions(value) && Object.values(value).every(isText), 'must be an object of names: { old: new }'],
  terminal: [(value) => isOptions(value) && typeof Object(value['input']).on === 'function' && typeof Object(value['output']).write === 'function', 'must be an object of two streams, { input, output }'],
  signal: runnerOptions.signal
}
