import { readFile, readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { MigrationError } from '../../../errors/errors.js'
import { upToDate } from './old-snapshots.js'

/** A column as drizzle-kit notes it in a snapshot; what is not named here is carried along. */
export interface Column {
  name: string
  type: string
  /** The schema of its enum. */
  typeSchema?: string
  primaryKey: boolean
  notNull: boolean
  default?: unknown
  generated?: { as: string }
  identity?: Numbering & { type: 'always' | 'byDefault', name: string }
}

/** How a sequence counts; drizzle-kit writes numbers as text. */
export interface Numbering {
  increment: string
  minValue: string
  maxValue: string
  startWith: string
  cache: string
  cycle: boolean
}

/** An index; the expression of a plain column is its name. */
export interface Index {
  name: string
  columns: Array<{ expression: string, isExpression: boolean }>
  isUnique: boolean
  /** The condition of a partial index. */
  where?: string
}

/** A foreign key. */
export interface ForeignKey {
  name: string
  tableFrom: string
  columnsFrom: string[]
  tableTo: string
  schemaTo?: string
  columnsTo: string[]
}

/** A primary key over several columns, or a unique constraint. */
export interface Key {
  name: string
  columns: string[]
}

/** Something that has a name, perhaps in a schema. */
export interface Named {
  name: string
  /** `''` or missing: `public`. */
  schema?: string
}

/** An enum with its values, in their order. */
export interface Enum extends Named {
  values: string[]
}

/** A check constraint. */
export interface Check extends Named {
  value: string
}

/** A policy for row level security. */
export interface Policy extends Named {
  using?: string
  withCheck?: string
  /** Of a policy on a table that is not in the model: that table, as SQL has it. */
  on?: string
}

/** A view, perhaps a materialized one. */
export interface View extends Named {
  /** Missing where it is only named, and made by somebody else. */
  definition?: string
  isExisting: boolean
  materialized: boolean
  columns?: unknown
}

/** A table as drizzle-kit notes it. */
export interface Table extends Named {
  schema: string
  columns: Record<string, Column>
  indexes: Record<string, Index>
  foreignKeys: Record<string, ForeignKey>
  compositePrimaryKeys: Record<string, Key>
  uniqueConstraints: Record<string, Key>
  policies: Record<string, Policy>
  checkConstraints: Record<string, Check>
  isRLSEnabled?: boolean
}

/** drizzle-kit's picture of a model, version 7: what `meta/NNNN_snapshot.json` holds. */
export interface Snapshot {
  id: string
  prevId: string
  version: string
  dialect: string
  tables: Record<string, Table>
  enums: Record<string, Enum>
  schemas: Record<string, string>
  sequences: Record<string, Named & Numbering>
  roles: Record<string, Named>
  policies: Record<string, Policy>
  views: Record<string, View>
  _meta: unknown
}

/** The version of snapshots that drizzle-kit 0.31 writes. */
const version = '7'

/** The picture of an empty database. */
export function emptySnapshot (): Snapshot {
  return {
    id: '00000000-0000-0000-0000-000000000000',
    prevId: '',
    version,
    dialect: 'postgresql',
    tables: {},
    enums: {},
    schemas: {},
    sequences: {},
    roles: {},
    policies: {},
    views: {},
    _meta: { columns: {}, schemas: {}, tables: {} }
  }
}

/** The names of a folder's snapshots without `_snapshot.json`, oldest first; none where there is no folder yet. */
export async function listSnapshots (folder: string): Promise<string[]> {
  const names = await readdir(join(folder, 'meta')).catch(() => [])
  // As drizzle-kit sorts them, and takes the last one for the newest.
  return names.filter((name) => name.endsWith('_snapshot.json')).sort().map((name) => basename(name, '_snapshot.json'))
}

/**
 * The newest snapshot of a folder, an empty one where there is none yet.
 *
 * @param prefixes those of the journal
 * @throws {MigrationError} `DB_MIGRATION_MISSING` when it belongs to no migration, or cannot be read
 */
export async function newestSnapshot (folder: string, prefixes: readonly string[]): Promise<Snapshot> {
  const newest = (await listSnapshots(folder)).at(-1)
  if (newest === undefined) return emptySnapshot()
  if (prefixes.includes(newest)) return await readSnapshot(folder, newest)
  throw new MigrationError(`meta/${newest}_snapshot.json belongs to no migration of the journal of ${folder}: remove it, or bring back the journal that names it`, 'DB_MIGRATION_MISSING')
}

/**
 * The snapshot that belongs to a prefix (`0003`), in the shape of version 7 whichever drizzle-kit wrote it.
 *
 * @throws {MigrationError} `DB_MIGRATION_MISSING` when it cannot be read, or is no snapshot
 */
export async function readSnapshot (folder: string, prefix: string): Promise<Snapshot> {
  const path = join(folder, 'meta', `${prefix}_snapshot.json`)
  let text: unknown
  try {
    text = JSON.parse(await readFile(path, 'utf8'))
  } catch (cause) {
    throw new MigrationError(`${path} is not there, or is not JSON: bring it back from version control`, 'DB_MIGRATION_MISSING', { cause })
  }
  return upToDate(text, path, emptySnapshot())
}
