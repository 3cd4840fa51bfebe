import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { checkMigrationCall } from '../history/check-migration-call.js'
import { MigrationError } from '../../errors/errors.js'
import { called, text } from '../../runtime/option-checks.js'
import { readSql } from '../folder/migration-files.js'
import { customDownFile, downFileOf, markIrreversible } from './down-file.js'
import { installedKit } from './installed-kit.js'
import { writeNewFiles } from './kit/write-new-files.js'
import { decideBySql } from './renames/decide-by-sql.js'
import { decideRenames } from './renames/decide-renames.js'
import { compareSql, sizeOf } from './sql/compare-sql.js'
import { reconcile } from './sql/reconcile.js'
import { findSqlChanges } from './sql/sql-changes.js'
import { SqlHistory } from './sql/sql-history.js'
import type { OptionChecks } from '../../runtime/option-checks.js'
import type { WrittenMigration } from './create-migration.js'
import type { DownFile } from './down-file.js'
import type { Kit } from './kit/kit.js'
import type { Diff } from './snapshots/diff.js'
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
export async function writeDownFiles (options: DownFilesOptions = {}): Promise<{ written: WrittenMigration[] }> {
  checkMigrationCall('writeDownFiles()', options, downFilesOptions)
  const { folder = './drizzle', onProgress } = options
  const kit = installedKit()
  const { layout } = kit
  const migrations = await kit.history(folder)
  const history = new SqlHistory()
  const files: Record<string, string> = {}
  const written: WrittenMigration[] = []
  for (const [index, { tag, befores, after }] of migrations.entries()) {
    const file = layout.downFile(tag)
    const sql = await readSql(folder, tag, layout)
    const { text, irreversible } = await downFileBetween(kit, { befores, after, sql, history }).catch((cause: MigrationError) => { throw notWritten(file, cause) })
    if (!existsSync(join(folder, file))) {
      files[file] = text
      written.push({ tag, irreversible })
    }
    onProgress?.({ tag, done: index + 1, total: migrations.length })
  }
  await writeNewFiles(folder, files)
  return { written }
}

interface Step {
  readonly befores: readonly Snapshot[]
  readonly after: Snapshot | undefined
  readonly sql: string
  readonly history: SqlHistory
}

async function downFileBetween (kit: Kit, { befores, after, sql, history }: Step): Promise<DownFile> {
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
async function closest (kit: Kit, { befores, after, sql }: { befores: readonly Snapshot[], after: Snapshot, sql: string }, done: readonly SqlChange[]): Promise<Disagreement & { diff: Diff } | undefined> {
  const diffs: Array<Disagreement & { diff: Diff }> = []
  for (const before of befores) {
    const diff: Diff = { before, after, renames: await decideRenames(before, after, decideBySql(sql)) }
    diffs.push({ diff, ...await compareSql(kit, diff, done) })
  }
  return diffs.toSorted((a, b) => sizeOf(a) - sizeOf(b))[0]
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
function notWritten (file: string, { message, code, cause }: MigrationError): MigrationError {
  return new MigrationError(`${file} cannot be written. ${message}`, code, { cause })
}

/** The checks of {@link DownFilesOptions}. */
export const downFilesOptions: OptionChecks<DownFilesOptions> = { folder: text, onProgress: called }
