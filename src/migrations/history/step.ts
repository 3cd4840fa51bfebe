import type { MigrationText } from '../folder/directives.js'
import type { Migration } from '../folder/migration-files.js'

/** Which way a database goes. */
export type MigrationDirection = 'up' | 'down'

/** One file that is to be run, up or down. */
export interface MigrationStep {
  readonly direction: MigrationDirection
  readonly migration: Migration
  readonly text: MigrationText
  /** For messages. */
  readonly file: string
  /** On the way back: the rows that note it. */
  readonly ids: readonly string[]
}

/** A statement of a migration that was carried out. */
export interface MigrationProgress {
  readonly direction: MigrationDirection
  readonly tag: string
  /** Which one it is in its file, from 1. */
  readonly statement: number
  /** How many the file has. */
  readonly total: number
  readonly sql: string
  /** How long it took, in milliseconds. */
  readonly durationMillis: number
}

/** A pause before a file is tried again that did not get its locks. */
export interface MigrationWait {
  readonly direction: MigrationDirection
  readonly tag: string
  /** How often it was tried so far. */
  readonly attempts: number
  /** How long the pause is, in milliseconds. */
  readonly pauseMillis: number
  /** Who held what it wanted, where that was seen: `process 4711 (psql, idle in transaction for 40 s)`. */
  readonly blockedBy: readonly string[]
}
