import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { checkMigrationCall } from '../history/check-migration-call.js'
import { MigrationError } from '../../errors/errors.js'
import { called, text } from '../../runtime/option-checks.js'
import { readJournal } from '../folder/journal.js'
import { downName, readSql } from '../folder/migration-files.js'
import { customDownFile, downFileOf, markIrreversible } from './down-file.js'
import { prefixOf } from './migration-name.js'
import { loadDrizzleKit } from './model/drizzle-kit.js'
import { decideRenames } from './renames/decide-renames.js'
import { decideBySql } from './renames/decide-by-sql.js'
import { listSnapshots, readSnapshot } from './snapshots/read-snapshots.js'
import { emptySnapshot } from './snapshots/snapshot.js'
import { compareSql } from './sql/compare-sql.js'
import { reconcile } from './sql/reconcile.js'
import { findSqlChanges } from './sql/sql-changes.js'
import { SqlHistory } from './sql/sql-history.js'
import { writeNewFiles } from './write-files.js'
import type { OptionChecks } from '../../runtime/option-checks.js'
import type { Diff } from './changes/diff-statements.js'
import type { CreatedMigration } from './create-migration.js'
import type { DownFile } from './down-file.js'
import type { DrizzleKit } from './model/drizzle-kit.js'
import type { Snapshot } from './snapshots/snapshot.js'
import type { Disagreement } from './sql/compare-sql.js'
import type { SqlChange } from './sql/sql-changes.js'

/** The options of {@link writeDownFiles}. */
export interface DownFilesOptions {
  /**
   * drizzle-kit's `out`.
   * @defaultValue `'./drizzle'`
   */
  readonly folder?: string | undefined
  /** Called after each migration, with the number done and the total. */
  readonly onProgress?: ((progress: { readonly tag: string, readonly done: number, readonly total: number }) => void) | undefined
}

/**
 * Writes the missing ways back of migrations that `drizzle-kit generate` has made, from the snapshots before and after each migration. Renames are read from
 * its SQL.
 * The way back from handwritten SQL is known only to its author, so its file gets an `irreversible` directive and says what to write.
 * If the SQL differs from its snapshots, the way back undoes the SQL, and an `irreversible` directive lists the differences.
 *
 * Existing files stay unchanged. All missing files are written, or none.
 *
 * @throws {MigrationError} `DB_MIGRATION_MISSING` if a file of the folder is missing or unreadable; `DB_MIGRATION_FAILED` without drizzle-kit, or if it
 *   refuses a snapshot
 *
 * @example
 * const { written } = await writeDownFiles({ folder: './drizzle' })
 */
export async function writeDownFiles (options: DownFilesOptions = {}): Promise<{ written: CreatedMigration[] }> {
  checkMigrationCall('writeDownFiles()', options, downFilesOptions)
  const { folder = './drizzle', onProgress } = options
  const { entries } = await readJournal(folder)
  const snapshots = await readSnapshots(folder)
  const kit = await loadDrizzleKit()
  const history = new SqlHistory()
  const files: Record<string, string> = {}
  const written: CreatedMigration[] = []
  let former: Snapshot | undefined = emptySnapshot()
  for (const [index, { tag }] of entries.entries()) {
    const after = snapshots.get(prefixOf(tag))
    const befores = candidates(snapshots, former, after)
    const { text, irreversible } = await downFileBetween(kit, { befores, after, sql: await readSql(folder, tag), history }).catch((cause: MigrationError) => { throw notWritten(tag, cause) })
    if (!existsSync(join(folder, downName(tag)))) {
      files[downName(tag)] = text
      written.push({ tag, irreversible })
    }
    onProgress?.({ tag, done: index + 1, total: entries.length })
    former = after
  }
  await writeNewFiles(folder, files)
  return { written }
}

async function readSnapshots (folder: string): Promise<Map<string, Snapshot>> {
  const snapshots = new Map<string, Snapshot>()
  for (const prefix of await listSnapshots(folder)) snapshots.set(prefix, await readSnapshot(folder, prefix))
  return snapshots
}

/** The possible snapshots before a migration: the one before it in the journal, and the one from which it was generated. They differ after a merge. */
function candidates (snapshots: ReadonlyMap<string, Snapshot>, former: Snapshot | undefined, after: Snapshot | undefined): Snapshot[] {
  const parent = after === undefined ? undefined : [emptySnapshot(), ...snapshots.values()].find(({ id }) => id === after.prevId)
  return [...new Set([former, parent])].filter((snapshot) => snapshot !== undefined)
}

interface Step {
  readonly befores: readonly Snapshot[]
  readonly after: Snapshot | undefined
  readonly sql: string
  readonly history: SqlHistory
}

async function downFileBetween (kit: DrizzleKit, { befores, after, sql, history }: Step): Promise<DownFile> {
  const done = findSqlChanges(sql)
  const choice = after === undefined ? undefined : await closest(kit, { befores, after, sql }, done)
  const repeated = history.repeated(done)
  const doubtful = history.doubtful(done)
  // Without its snapshot, only the SQL counts.
  history.add(done, choice ?? { onlySaid: [], onlyDone: done })
  if (choice === undefined || isSame(choice.diff)) return customDownFile
  const { diff, onlySaid, onlyDone } = choice
  const reasons = [
    ...reason('changes of its snapshots that its SQL does not make', onlySaid),
    ...reason('changes of its SQL that its snapshots do not have', onlyDone),
    ...reason('objects that its SQL found already created by an earlier migration', repeated),
    ...reason('objects that an earlier migration left in another state than its snapshot has', doubtful)
  ]
  if (reasons.length === 0) return await downFileOf(kit, diff)
  return markIrreversible(await downFileOf(kit, reconcile(diff, done.filter((change) => !repeated.includes(change)))), reasons)
}

/** The pair of snapshots whose difference is closest to the SQL. */
async function closest (kit: DrizzleKit, { befores, after, sql }: { befores: readonly Snapshot[], after: Snapshot, sql: string }, done: readonly SqlChange[]): Promise<Disagreement & { diff: Diff } | undefined> {
  const diffs: Array<Disagreement & { diff: Diff }> = []
  for (const before of befores) {
    const diff: Diff = { before, after, renames: await decideRenames(before, after, decideBySql(sql)) }
    diffs.push({ diff, ...await compareSql(kit, diff, done) })
  }
  return diffs.toSorted((a, b) => sizeOf(a) - sizeOf(b))[0]
}

function sizeOf ({ onlySaid, onlyDone }: Disagreement): number {
  return onlySaid.length + onlyDone.length
}

function isSame ({ before, after }: Diff): boolean {
  return isDeepStrictEqual(before, { ...after, id: before.id, prevId: before.prevId })
}

/** The most changes that a directive lists. */
const listedChanges = 8

function reason (what: string, changes: readonly SqlChange[]): string[] {
  const labels = [...new Set(changes.map(({ label }) => label))]
  const more = labels.length > listedChanges ? [`and ${labels.length - listedChanges} more`] : []
  return labels.length === 0 ? [] : [`${what}: ${[...labels.slice(0, listedChanges), ...more].join(', ')}`]
}

/** Adds the file to an error about one migration. */
function notWritten (tag: string, { message, code, cause }: MigrationError): MigrationError {
  return new MigrationError(`${downName(tag)} cannot be written. ${message}`, code, { cause })
}

/** The checks of {@link DownFilesOptions}. */
export const downFilesOptions: OptionChecks<DownFilesOptions> = { folder: text, onProgress: called }
