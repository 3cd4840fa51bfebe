import type { Layout } from '../../folder/layout.js'
import type { Casing } from '../../../drizzle/casing.js'
import type { Diff } from '../snapshots/diff.js'
import type { Rename } from '../snapshots/rename.js'
import type { Snapshot } from '../snapshots/snapshot.js'

/** What drizzle-kit does for this package. Each version has an implementation of its own; nothing else knows the version. */
export interface Kit {
  /** The layout of the folders that this version writes. */
  readonly layout: Layout
  /**
   * The statements that drizzle-kit writes between two snapshots. It creates everything that is new, and drops everything that is gone.
   *
   * @throws {MigrationError} `DB_MIGRATION_MISSING` if it cannot read the snapshots
   */
  statements (before: Snapshot, after: Snapshot): Promise<string[]>
  /** The statements that `drizzle-kit generate` may have written for a change. None if it would have asked about more renames. */
  generated (diff: Diff): Promise<string[][]>
  /**
   * Opens a folder to generate migrations in it.
   *
   * @throws {MigrationError} `DB_MIGRATION_FAILED` for a folder in the layout of the other version; `DB_MIGRATION_MISSING` if a file cannot be read
   */
  open (folder: string): Promise<GeneratedFolder>
  /**
   * All migrations of a folder in order, with their snapshots.
   *
   * @throws {MigrationError} as {@link Kit.open}
   */
  history (folder: string): Promise<GeneratedMigration[]>
}

/** A folder in which migrations are generated. */
export interface GeneratedFolder {
  /** The snapshot after the newest migration; an empty one if there is none. */
  readonly newest: Snapshot
  /**
   * Drafts the next migration. Nothing is written yet.
   *
   * @returns undefined if drizzle-kit finds nothing to do
   * @throws {MigrationError} `DB_MIGRATION_FAILED` if drizzle-kit refuses the model
   */
  draft (options: DraftOptions): Promise<Draft | undefined>
}

/** What the next migration leads to, and how it is called. */
export interface DraftOptions {
  /** The model; undefined for a migration of handwritten SQL, which leaves the snapshot as it is. */
  readonly model?: Model | undefined
  /** The words in its name. */
  readonly words: string
  /** drizzle-kit's `migrations.prefix`. */
  readonly prefix?: string | undefined
  readonly breakpoints: boolean
}

/** A model, and what was renamed since the newest migration. */
export interface Model {
  /** The exports of the modules that hold its tables. */
  readonly schema: Record<string, unknown>
  readonly casing?: Casing | undefined
  readonly renames: readonly Rename[]
}

/** A migration before its files are written. */
export interface Draft {
  readonly tag: string
  readonly after: Snapshot
  /**
   * Writes the files: all of them, or none.
   *
   * @throws {MigrationError} `DB_MIGRATION_LOCKED` if another process is writing a migration, or wrote one since the folder was opened
   */
  write (texts: { readonly up: string, readonly down: string }): Promise<void>
}

/** A migration of a folder, with the snapshots around it. */
export interface GeneratedMigration {
  readonly tag: string
  /** The snapshots that may have been before it. They differ after a merge. */
  readonly befores: readonly Snapshot[]
  /** Undefined if its snapshot is missing. */
  readonly after: Snapshot | undefined
}
