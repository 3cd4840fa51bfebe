/** The layout of drizzle-kit 1.0: one folder for each migration, `<YYYYMMDDHHMMSS>_<name>`, with `migration.sql` and `snapshot.json`; no journal. */
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { MigrationError } from '../../errors/errors.js'

/** Whether a name begins with a time, as drizzle-kit 1.0 names the folders of migrations. */
export function hasTime (name: string): boolean {
  return /^\d{14}/.test(name)
}

/**
 * The names of the migration folders, in the order in which drizzle-orm 1.0 applies them; none if `folder` does not exist. A folder that has lost its
 * `migration.sql` is included.
 */
export async function findMigrationFolders (folder: string): Promise<string[]> {
  const names = existsSync(folder) ? await readdir(folder) : []
  const has = (name: string, file: string) => existsSync(join(folder, name, file))
  return names.filter((name) => has(name, 'migration.sql') || (hasTime(name) && has(name, 'snapshot.json'))).sort((a, b) => a.localeCompare(b))
}

/**
 * The time in the name of a migration folder, in milliseconds since 1970, as drizzle-orm 1.0 records it.
 *
 * @throws {MigrationError} `DB_MIGRATION_MISSING` for a name without a time
 */
export function timeOf (name: string, folder: string): number {
  if (!hasTime(name)) {
    throw new MigrationError(`The name of ${name} in ${folder} does not begin with a time, so drizzle-orm cannot record it: rename it to <YYYYMMDDHHMMSS>_${name}`, 'DB_MIGRATION_MISSING')
  }
  const part = (from: number, to: number) => Number(name.slice(from, to))
  return Date.UTC(part(0, 4), part(4, 6) - 1, part(6, 8), part(8, 10), part(10, 12), part(12, 14))
}

/**
 * The names of the folders into which a journal's migrations are moved, in the journal's order: those that `drizzle-kit up` of version 1.0 gives, wherever
 * they sort in that order. Where the times of the journal go back, a folder gets the time of the one before. Where the names of one second would not
 * sort, they keep their whole tags.
 */
export function upgradedNames (entries: ReadonlyArray<{ readonly tag: string, readonly when: number }>): string[] {
  let newest = -Infinity
  const times = entries.map(({ when }) => secondOf(newest = Math.max(newest, when)))
  const names = entries.map(({ tag }, index) => `${times[index]}_${tag.split('_').slice(1).join('_')}`)
  const isSorted = (second: string | undefined) => names.every((name, index) => times[index] !== second || times[index - 1] !== second || sortsAfter(name, names[index - 1]))
  return entries.map(({ tag }, index) => isSorted(times[index]) ? names[index]! : `${times[index]}_${tag}`)
}

/** Whether a migration folder comes after another, for drizzle-orm and for drizzle-kit. */
export function sortsAfter (name: string, former = ''): boolean {
  return name > former && name.localeCompare(former) > 0
}

/** 20260131235959 */
function secondOf (when: number): string {
  const time = new Date(when)
  const parts = [time.getUTCFullYear(), time.getUTCMonth() + 1, time.getUTCDate(), time.getUTCHours(), time.getUTCMinutes(), time.getUTCSeconds()]
  return parts.map((part) => `${part}`.padStart(2, '0')).join('')
}
