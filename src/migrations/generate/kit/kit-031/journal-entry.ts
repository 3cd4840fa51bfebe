import { MigrationError } from '../../../../errors/errors.js'
import type { Journal, JournalEntry } from '../../../folder/journal.js'

/** The name and settings of a new entry of the journal. */
export interface EntryOptions {
  /** The part of its name after the prefix. */
  readonly words: string
  readonly prefix: string
  readonly breakpoints: boolean
}

// drizzle-kit's prefixes. Its prefix `none` is left out: with it, drizzle-kit cannot find its own snapshots.
const prefixes: Record<string, (next: { idx: number, when: number }) => string> = {
  index: ({ idx }) => `${idx}`.padStart(4, '0'),
  timestamp: ({ when }) => seconds(when),
  supabase: ({ when }) => seconds(when),
  unix: ({ when }) => `${Math.floor(when / 1000)}`
}

/**
 * The next entry of a journal.
 *
 * @throws {MigrationError} `DB_MIGRATION_FAILED` for a prefix that does not exist
 */
export function nextEntry ({ version, entries }: Journal, { words, prefix, breakpoints }: EntryOptions): JournalEntry {
  const last = entries.at(-1)
  const idx = last === undefined ? 0 : last.idx + 1
  // drizzle-kit never applies an entry that is not newer than the one before, so a slow clock must not matter.
  const when = Math.max(Date.now(), ...entries.map((entry) => entry.when + 1))
  const number = Object.hasOwn(prefixes, prefix) ? prefixes[prefix] : undefined
  if (number === undefined) throw new MigrationError(`Migrations cannot be numbered by ${prefix}: migrations.prefix is one of ${Object.keys(prefixes).join(', ')}`, 'DB_MIGRATION_FAILED')
  return { idx, version, when, tag: `${number({ idx, when })}_${words}`, breakpoints }
}

/** The prefix of a tag, before the first `_`. Its snapshot has the same. */
export function prefixOf (tag: string): string {
  const [prefix = ''] = tag.split('_')
  return prefix
}

/** 20260131235959 */
function seconds (when: number): string {
  return new Date(when).toISOString().replace(/\D/g, '').slice(0, 14)
}
