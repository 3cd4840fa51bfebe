import type { PgColumn } from 'drizzle-orm/pg-core'
import { UsageError } from '../errors/errors.js'
import { columnTypeOf } from '../drizzle/column-types.js'
import { markOf } from '../drizzle/column-mark.js'
import type { Mark } from '../drizzle/column-mark.js'

/** The columns of a table that have a meaning for its repository. */
export interface MarkedColumns {
  readonly softDelete: { readonly key: string, readonly filter: boolean } | undefined
  /** The key of the optimistic lock. */
  readonly version: string | undefined
}

/** Columns that PostgreSQL's clock can fill; a custom type may be one of them. */
const times = new Set(['PgTimestamp', 'PgTimestampString', 'PgDate', 'PgDateString', 'PgCustomColumn'])
const wholeNumbers = new Set(['PgInteger', 'PgSmallInt', 'PgBigInt53'])

interface Rule {
  readonly isMet: (column: PgColumn) => boolean
  readonly words: string
}

/** What a column with a mark must be: `asDeletedAt()` and its like take the builder of any column. */
const rules: Readonly<Record<keyof Mark, Rule>> = {
  updatedAt: { isMet: (column) => times.has(columnTypeOf(column)), words: 'asUpdatedAt() takes a timestamp or a date' },
  softDelete: {
    isMet: (column) => times.has(columnTypeOf(column)) && !column.notNull,
    words: 'asDeletedAt() takes a timestamp or a date that can be null'
  },
  version: {
    isMet: (column) => wholeNumbers.has(columnTypeOf(column)) && column.notNull,
    words: "asVersion() takes a column with notNull() that is an integer, or a bigint with mode: 'number'"
  }
}

/**
 * Finds the marked columns of a table.
 *
 * @throws {UsageError} for a column that is not what its mark needs, and for two columns that mark deletion, or hold a version
 */
export function markedColumns (entries: ReadonlyArray<[string, PgColumn]>, table: string): MarkedColumns {
  const marks = entries.map(([key, column]) => ({ key, column, mark: markOf(column) }))
  for (const { key, column, mark } of marks) {
    const broken = (Object.keys(mark) as Array<keyof Mark>).map((kind) => rules[kind]).find(({ isMet }) => !isMet(column))
    if (broken !== undefined) throw misplaced(table, [key], broken.words)
  }
  const deletions = marks.flatMap(({ key, mark: { softDelete } }) => softDelete === undefined ? [] : [{ key, ...softDelete }])
  const versions = marks.filter(({ mark }) => mark.version).map(({ key }) => key)
  for (const keys of [deletions.map(({ key }) => key), versions]) {
    if (keys.length > 1) throw misplaced(table, keys, 'a table has one column that marks deletion, and one version')
  }
  return { softDelete: deletions[0], version: versions[0] }
}

function misplaced (table: string, columns: readonly string[], words: string): UsageError {
  const names = columns.map((key) => `"${key}"`).join(' and ')
  return new UsageError(`Table "${table}", column ${names}: ${words}`, { context: { table, columns } })
}
