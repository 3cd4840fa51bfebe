import { randomUUID } from 'node:crypto'
import { journalLayout } from '../../../folder/layout.js'
import { findRenameCandidates } from '../../snapshots/rename-candidates.js'
import { applyRename, orderRenames, renameStatements } from '../../snapshots/rename.js'
import { emptySnapshot } from '../../snapshots/snapshot.js'
import { pretty } from '../write-new-files.js'
import { loadDrizzleKit, snapshotOf } from './drizzle-kit.js'
import { withDroppedPrimaryKeys } from './drop-primary-key.js'
import { nextEntry, prefixOf } from './journal-entry.js'
import { readJournal } from './read-journal.js'
import { listSnapshots, newestSnapshot, readSnapshot } from './read-snapshots.js'
import { drizzleKitStatements } from './statements.js'
import { writeMigration } from './write-migration.js'
import type { Journal } from '../../../folder/journal.js'
import type { Diff } from '../../snapshots/diff.js'
import type { Snapshot } from '../../snapshots/snapshot.js'
import type { Draft, DraftOptions, GeneratedFolder, GeneratedMigration, Kit } from '../kit.js'

/** drizzle-kit 0.31: snapshots of format 7, and a folder with a journal. */
export const kit031: Kit = {
  layout: journalLayout,

  async statements (before, after) {
    return withDroppedPrimaryKeys(await drizzleKitStatements(await loadDrizzleKit(), before, after))
  },

  async generated ({ before, after, renames }: Diff) {
    const ordered = orderRenames(renames)
    const start = ordered.reduce(applyRename, before)
    if (findRenameCandidates(start, after).length > 0) return []
    const renaming = ordered.flatMap((rename) => renameStatements(rename))
    const statements = await (await loadDrizzleKit()).generateMigration(start, after)
    return [[...renaming, ...statements], [...renaming, ...withDroppedPrimaryKeys(statements)]]
  },

  async open (folder) {
    const journal = await readJournal(folder)
    return new JournalFolder(folder, { journal, newest: await newestSnapshot(folder, journal.entries.map(({ tag }) => prefixOf(tag))) })
  },

  async history (folder) {
    const { entries } = await readJournal(folder)
    const snapshots = new Map<string, Snapshot>()
    for (const prefix of await listSnapshots(folder)) snapshots.set(prefix, await readSnapshot(folder, prefix))
    let former: Snapshot | undefined = emptySnapshot()
    return entries.map(({ tag }): GeneratedMigration => {
      const after = snapshots.get(prefixOf(tag))
      // The one before it in the journal, and the one from which it was generated.
      const parent = after === undefined ? undefined : [emptySnapshot(), ...snapshots.values()].find(({ id }) => id === after.prevId)
      const befores = [...new Set([former, parent])].filter((snapshot) => snapshot !== undefined)
      former = after
      return { tag, befores, after }
    })
  }
}

class JournalFolder implements GeneratedFolder {
  readonly newest: Snapshot
  readonly #folder: string
  readonly #journal: Journal

  constructor (folder: string, { journal, newest }: { journal: Journal, newest: Snapshot }) {
    this.#folder = folder
    this.#journal = journal
    this.newest = newest
  }

  async draft ({ model, words, prefix = 'index', breakpoints }: DraftOptions): Promise<Draft> {
    const [folder, former, before] = [this.#folder, this.#journal, this.newest]
    const after = model === undefined
      ? { ...before, id: randomUUID(), prevId: before.id }
      : snapshotOf(await loadDrizzleKit(), model.schema, { casing: model.casing, previous: before })
    const entry = nextEntry(former, { words, prefix, breakpoints })
    return {
      tag: entry.tag,
      after,
      async write ({ up, down }) {
        await writeMigration(folder, {
          former,
          journal: { ...former, entries: [...former.entries, entry] },
          files: {
            [journalLayout.upFile(entry.tag)]: up,
            [journalLayout.downFile(entry.tag)]: down,
            [`meta/${prefixOf(entry.tag)}_snapshot.json`]: pretty({ ...after, _meta: { columns: {}, schemas: {}, tables: {} } })
          }
        })
      }
    }
  }
}
