import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { loadCli, type GenerateResponse, type Hint } from './drizzle-kit.js'
import { createHints } from './hints.js'
import { refusal } from './refusal.js'
import { withSqlTexts } from './with-sql-texts.js'
import { withoutExit } from './without-exit.js'
import type { SnapshotFile, SnapshotFiles } from './snapshot-files.js'

/** What `drizzle-kit generate` is asked for. */
export interface Generation {
  /** The exports of the modules that hold the tables; undefined for a migration of handwritten SQL. */
  readonly schema: Record<string, unknown> | undefined
  /** The words in the name of the migration. */
  readonly words: string
  readonly hints: readonly Hint[]
}

/** The migration that `drizzle-kit generate` has written. */
export interface Generated {
  /** The name of its folder. */
  readonly tag: string
  readonly snapshot: SnapshotFile
  /** The text of its `snapshot.json`. */
  readonly text: string
}

/**
 * Runs `drizzle-kit generate` beside a copy of a folder's snapshots. Only it writes the changes of a snapshot, and what they touch: drizzle-kit finds the
 * conflicts of merged branches by these.
 *
 * @returns undefined if the model has not changed
 * @throws {MigrationError} `DB_MIGRATION_FAILED` with drizzle-kit's own words if it refuses the model, or if branches of the folder conflict
 */
export async function generateInCopy (files: SnapshotFiles, { schema, words, hints }: Generation): Promise<Generated | undefined> {
  // A re-exported table must count once.
  const values = withSqlTexts([...new Set(Object.values(schema ?? {}))])
  const place = await mkdtemp(join(tmpdir(), 'data-access-'))
  try {
    const out = join(place, 'out')
    await mkdir(out)
    for (const [name, file] of files) {
      await mkdir(join(out, name))
      await writeFile(join(out, name, 'snapshot.json'), JSON.stringify(file))
    }
    const options = { dialect: 'postgresql', schema: await writeModule(place, values), out, name: words, custom: schema === undefined }
    const response = await generate(options, hints)
    if (response.status === 'error') throw await refusal(response.error, values)
    return response.status === 'ok' ? await readGenerated(dirname(response.migration_path)) : undefined
  } finally {
    await rm(place, { recursive: true })
  }
}

async function generate (options: Record<string, unknown>, hints: readonly Hint[]): Promise<Exclude<GenerateResponse, { status: 'missing_hints' }>> {
  const cli = await loadCli()
  const response = await withoutExit(async () => await cli.generate({ ...options, hints }))
  return response.status === 'missing_hints' ? await generate(options, [...hints, ...createHints(response.unresolved)]) : response
}

async function readGenerated (folder: string): Promise<Generated> {
  const text = await readFile(join(folder, 'snapshot.json'), 'utf8')
  return { tag: basename(folder), snapshot: JSON.parse(text), text }
}

/** A registered symbol: the module is loaded by drizzle-kit. */
const key = Symbol.for('fastify-data-access:models')
/** Models that a module is about to export, by the path of the module. All copies of this package in a process share them: a loader of TypeScript makes a second one. */
const models: Map<string, readonly unknown[]> = Reflect.get(globalThis, key) ?? new Map()
Reflect.set(globalThis, key, models)

/** Writes a module that exports the values of a model, because drizzle-kit takes a path. */
async function writeModule (place: string, values: readonly unknown[]): Promise<string> {
  const path = join(place, 'schema.mjs')
  models.set(path, values)
  const lines = [
    `const models = globalThis[Symbol.for(${JSON.stringify(key.description)})]`,
    `const model = models.get(${JSON.stringify(path)})`,
    `models.delete(${JSON.stringify(path)})`,
    ...values.map((_value, index) => `export const export${index} = model[${index}]`)
  ]
  await writeFile(path, `${lines.join('\n')}\n`)
  return path
}
