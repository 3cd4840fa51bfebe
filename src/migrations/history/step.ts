import { textIn } from '../folder/schema-text.js'
import type { MigrationText } from '../folder/directives.js'
import type { MigrationFile } from '../folder/migration-files.js'
import type { Placed } from './schema-place.js'

/** Whether migrations are applied (`up`) or rolled back (`down`). */
export type MigrationDirection = 'up' | 'down'

/** A file to run, up or down. */
export interface MigrationStep {
  readonly direction: MigrationDirection
  readonly migration: MigrationFile
  readonly text: MigrationText
  /** The file's name, for messages. */
  readonly file: string
  /** For `down`: the ids of the rows that record the migration. */
  readonly ids: readonly string[]
}

/** The same steps in a schema: the default schema in their texts means that one. */
export function stepsIn (steps: MigrationStep[], { place }: Placed): MigrationStep[] {
  return place === undefined ? steps : steps.map((step) => ({ ...step, text: textIn(step.text, place.schema) }))
}

/** A statement of a migration that has run. */
export interface MigrationProgress {
  /** The schema, in a run over several. */
  readonly schema?: string
  readonly direction: MigrationDirection
  readonly tag: string
  /** Its number in the file, from 1. */
  readonly statement: number
  /** The number of statements in the file. */
  readonly total: number
  readonly sql: string
  /** Its duration in milliseconds. */
  readonly durationMillis: number
}

/** A pause before a file that did not get its locks is retried. */
export interface MigrationWait {
  /** The schema, in a run over several. */
  readonly schema?: string
  readonly direction: MigrationDirection
  readonly tag: string
  /** The number of attempts so far. */
  readonly attempts: number
  /** The length of the pause in milliseconds. */
  readonly pauseMillis: number
  /** The sessions that were seen holding the locks: `process 4711 (psql, idle in transaction for 40 s)`. */
  readonly blockedBy: readonly string[]
}
