import { casingRefusal } from '../../../../drizzle/casing.js'
import { MigrationError, UsageError } from '../../../../errors/errors.js'
import { folderLayout } from '../../../folder/layout.js'
import { findMigrationFolders } from '../../../folder/migration-folders.js'
import { generateInCopy } from './generate-in-copy.js'
import { renameHints } from './hints.js'
import { newestIds, readSnapshotFiles, snapshotAt, type SnapshotFiles } from './snapshot-files.js'
import { correctedStatements, drizzleKitStatements } from './statements.js'
import { writeMigration } from './write-migration.js'
import type { Snapshot } from '../../snapshots/snapshot.js'
import type { Draft, DraftOptions, GeneratedFolder, GeneratedMigration, Kit } from '../kit.js'

/** drizzle-kit 1.0: snapshots of format 9, and a folder for each migration. */
export const kit1: Kit = {
  layout: folderLayout,

  async statements (before, after) {
    return await correctedStatements(before, after)
  },

  async generated ({ before, after, renames }) {
    return [await drizzleKitStatements(before, after, renameHints(renames))]
  },

  async open (folder) {
    const files = await readSnapshotFiles(folder)
    const newest = newestIds(files)
    // Finds conflicts before the branches are joined.
    if (newest.length > 1) await generateInCopy(files, { schema: undefined, words: 'joined', hints: [] })
    return new MigrationFolders(folder, { names: await findMigrationFolders(folder), files, newest: await snapshotAt(files, newest) })
  },

  async history (folder) {
    const files = await readSnapshotFiles(folder)
    const migrations: GeneratedMigration[] = []
    for (const tag of await findMigrationFolders(folder)) {
      const file = files.get(tag)
      migrations.push(file === undefined ? { tag, befores: [], after: undefined } : { tag, befores: [await snapshotAt(files, file.prevIds)], after: await snapshotAt(files, [file.id]) })
    }
    return migrations
  }
}

class MigrationFolders implements GeneratedFolder {
  readonly newest: Snapshot
  readonly #folder: string
  readonly #names: readonly string[]
  readonly #files: SnapshotFiles

  constructor (folder: string, { names, files, newest }: { names: readonly string[], files: SnapshotFiles, newest: Snapshot }) {
    this.#folder = folder
    this.#names = names
    this.#files = files
    this.newest = newest
  }

  async draft ({ model, words, prefix = 'timestamp' }: DraftOptions): Promise<Draft | undefined> {
    if (model?.casing !== undefined) throw new UsageError(`casing ${casingRefusal}`)
    if (prefix !== 'timestamp') {
      throw new MigrationError(`Migrations cannot be numbered by ${prefix}: drizzle-kit 1.0 names their folders by time. Leave out migrations.prefix, or set it to timestamp`, 'DB_MIGRATION_FAILED')
    }
    const [folder, files, former] = [this.#folder, this.#files, this.#names]
    const made = await generateInCopy(files, { schema: model?.schema, words, hints: renameHints(model?.renames ?? []) })
    if (made === undefined) return undefined
    const { tag, snapshot, text } = made
    return {
      tag,
      after: await snapshotAt(new Map([...files, [tag, snapshot]]), [snapshot.id]),
      async write ({ up, down }) {
        await writeMigration(folder, { tag, files: { 'migration.sql': up, 'snapshot.json': text, 'down.sql': down }, former })
      }
    }
  }
}
