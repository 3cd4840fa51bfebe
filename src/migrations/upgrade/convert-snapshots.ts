import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MigrationError } from '../../errors/errors.js'
import { prefixOf } from '../generate/kit/kit-031/journal-entry.js'
import { readSnapshot } from '../generate/kit/kit-031/read-snapshots.js'
import { emptySnapshot, type Snapshot } from '../generate/snapshots/snapshot.js'
import { inWordsOf1 } from './words-of-1.js'
import type { MigrationEntry } from '../folder/layout.js'

/** The part of `drizzle-kit/cli` that is used. */
interface DrizzleKitCommands {
  up (options: { dialect: 'postgresql', out: string }): Promise<{ status: 'ok' } | { status: 'error', error: Readonly<Record<string, unknown>> }>
}

/**
 * The snapshots of a folder in the format of drizzle-kit 1.0, by their path in the new layout. `drizzle-kit up` converts a copy, in a temporary folder.
 *
 * @throws {MigrationError} `DB_MIGRATION_FAILED` without drizzle-kit 1.0, or if it refuses the snapshots; `DB_MIGRATION_MISSING` if one cannot be read
 */
export async function convertSnapshots (folder: string, entries: readonly MigrationEntry[]): Promise<Record<string, string>> {
  const snapshots = await linkedSnapshots(folder, entries)
  if (snapshots.length === 0) return {}
  const { up } = await loadCommands()
  const copy = await mkdtemp(join(tmpdir(), 'data-access-upgrade-'))
  try {
    for (const [name, snapshot] of snapshots) {
      await mkdir(join(copy, name))
      await writeFile(join(copy, name, 'snapshot.json'), JSON.stringify(inWordsOf1(snapshot)))
    }
    const result = await up({ dialect: 'postgresql', out: copy })
    if (result.status === 'error') throw refused(result.error, copy)
    const texts = snapshots.map(async ([name]) => [`${name}/snapshot.json`, await readFile(join(copy, name, 'snapshot.json'), 'utf8')] as const)
    return Object.fromEntries(await Promise.all(texts))
  } finally {
    await rm(copy, { recursive: true })
  }
}

/**
 * The snapshots by the names of their migration folders. Migrations may have none, and of those that share one, after a merge, the last has it. A snapshot
 * whose parent is gone follows the one before it in the journal: each holds the whole model.
 */
async function linkedSnapshots (folder: string, entries: readonly MigrationEntry[]): Promise<Array<[string, Snapshot]>> {
  const linked: Array<[string, Snapshot]> = []
  const known = [emptySnapshot().id]
  for (const [index, { tag, name }] of entries.entries()) {
    const prefix = prefixOf(tag)
    const isShared = entries.slice(index + 1).some((later) => prefixOf(later.tag) === prefix)
    if (isShared || !existsSync(join(folder, 'meta', `${prefix}_snapshot.json`))) continue
    const snapshot = await readSnapshot(folder, prefix)
    linked.push([name, known.includes(snapshot.prevId) ? snapshot : { ...snapshot, prevId: known.at(-1)! }])
    known.push(snapshot.id)
  }
  return linked
}

async function loadCommands (specifier = 'drizzle-kit/cli'): Promise<DrizzleKitCommands> {
  return await import(specifier).catch((cause: unknown) => {
    throw new MigrationError('data-access migrate upgrade needs drizzle-kit 1.0, which converts the snapshots: npm install --save-dev drizzle-kit@^1.0.0-rc.5', 'DB_MIGRATION_FAILED', { cause })
  })
}

/** The error of a refusal. drizzle-kit gives codes and paths, whose text only its command prints. */
function refused (error: Readonly<Record<string, unknown>>, copy: string): MigrationError {
  return new MigrationError(
    `drizzle-kit cannot convert the snapshots (${JSON.stringify(error).replaceAll(`${copy}/`, '')}): run npx drizzle-kit up in a copy of the folder, whose message says the way out, correct meta/ in the same way, and run data-access migrate upgrade again`,
    'DB_MIGRATION_FAILED'
  )
}
