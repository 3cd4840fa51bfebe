import type { AppliedRow } from './applied-table.js'
import type { MigrationFile, MigrationFolder } from '../folder/migration-files.js'

/** A row of the database's table, with its file if the folder has it. */
export interface AppliedMigration {
  readonly row: AppliedRow
  readonly file: MigrationFile | undefined
}

type Rule = (row: AppliedRow, file: MigrationFile) => boolean

const sameHash: Rule = (row, { hashes }) => hashes.includes(row.hash)
const sameName: Rule = (row, { name }) => row.name === name
const sameTime: Rule = (row, { when }) => row.when === when
const sameSecond: Rule = (row, { when }) => row.name === undefined && Math.floor(row.when / 1000) * 1000 === when

/** The rules by which a row matches a file of a journal, the strictest first: a journal may have been rewritten, and two files may have been generated at the same time. */
const journalRules: readonly Rule[] = [(row, file) => sameTime(row, file) && sameHash(row, file), sameName, sameTime, sameHash]

/**
 * The rules for the layout of drizzle-kit 1.0: a row with a name records that migration only. Other rows were recorded from a journal, whose times are
 * more precise than those of folders. `upgradeIfNeeded` of drizzle-orm 1.0 finds their names by these rules.
 */
const folderRules: readonly Rule[] = [
  sameName,
  (row, file) => sameSecond(row, file) && sameHash(row, file),
  sameSecond,
  (row, file) => row.name === undefined && sameHash(row, file)
]

/** Each migration of a database once, with all rows that record it. */
export function matchRows (rows: readonly AppliedRow[], { layout, files }: MigrationFolder): AppliedMigration[] {
  const found = new Map<AppliedRow, MigrationFile>()
  const taken = new Set<MigrationFile>()
  for (const matches of layout.isByName ? folderRules : journalRules) {
    for (const row of rows) {
      const file = found.has(row) ? undefined : files.find((candidate) => !taken.has(candidate) && matches(row, candidate))
      if (file === undefined) continue
      found.set(row, file)
      taken.add(file)
    }
  }
  const nameOf = (row: AppliedRow) => row.name ?? found.get(row)?.name
  // Two migrations of drizzle-kit 1.0 may have the same time, but not the same name.
  const isSame = (one: AppliedRow, other: AppliedRow) => nameOf(one) !== undefined && nameOf(other) !== undefined ? nameOf(one) === nameOf(other) : one.when === other.when
  const firstOf = (row: AppliedRow) => found.has(row) ? row : rows.find((other) => isSame(other, row) && found.has(other)) ?? rows.find((other) => isSame(other, row))
  const first = new Map(rows.map((row) => [row, firstOf(row)]))
  const withIds = (row: AppliedRow) => ({ ...row, ids: rows.filter((other) => first.get(other) === row).flatMap(({ ids }) => ids) })
  return rows.filter((row) => first.get(row) === row).map((row) => ({ row: withIds(row), file: found.get(row) }))
}
