import type { StatementRunner } from '../../statement/statement.js'
import type { AnyRow } from '../table/answers.js'
import { atRow } from './failed-rows.js'
import { acceptedValues, runBeforeHook, writing } from './write-context.js'
import type { WriteContext } from './write-context.js'

/** The values of a new row after its hook, without defaults; every key is a writable column. */
export type GivenRow = Readonly<AnyRow>

/** The created and the updated rows of a result. */
export interface StoredRows {
  readonly created: readonly AnyRow[]
  readonly updated?: readonly AnyRow[]
}

/** The given rows of a write. */
export interface GivenRows {
  /** Takes one more row, and tells whether there was one. */
  readonly more: () => boolean
  /** A taken row, by its index among all rows. */
  readonly at: (place: number) => GivenRow
}

/** How rows are checked, sent, and passed to hooks. */
export interface Storing<Result> {
  /** Checks a row and keeps its encoded values; a later row may still be refused. */
  readonly take: (given: GivenRow) => void
  /** Whether an error has the index of its row: for methods that take many. */
  readonly isNumbered?: boolean
  /** Whether rows are taken while others are sent; an error then undoes those. Otherwise all are taken first. */
  readonly isGradual?: boolean
  /** Sends the taken rows through the repository's session or a scope inside it. */
  readonly send: (session: StatementRunner, rows: GivenRows) => Promise<Result>
  /** The rows of the result. */
  readonly stored: (result: Result) => StoredRows
}

/**
 * The path of every new row, for all methods: checks the given columns, calls `beforeCreate`, stores the row, and calls
 * `afterCreate` or `afterUpdate` with the stored row.
 */
export function storeRows<Result> (
  context: WriteContext, rows: readonly unknown[], { take, isGradual = false, isNumbered = false, send, stored }: Storing<Result>
): Promise<Result> {
  return writing(context, ['beforeCreate', 'afterCreate', 'afterUpdate'], async ({ session, hooks }) => {
    if (hooks === undefined) {
      const givens = givenRows(context, rows, { take, isNumbered })
      if (!isGradual) while (givens.more()) continue
      return await send(session, givens)
    }
    const givens = rows.map((values, place) => numbered(isNumbered, place, () => acceptedValues(context, values)))
    for (const [place, given] of givens.entries()) {
      const own = await runBeforeHook(given, context.table, (values) => hooks.beforeCreate(values))
      givens[place] = own
      numbered(isNumbered, place, () => take(own))
    }
    const result = await send(session, { more: () => false, at: (place) => givens[place] as GivenRow })
    const { created, updated = [] } = stored(result)
    for (const row of created) await hooks.afterCreate(row)
    for (const row of updated) await hooks.afterUpdate(row)
    return result
  })
}

/** Rows that are checked when they are taken, from a copy of the given array. */
function givenRows (
  context: WriteContext, rows: readonly unknown[], { take, isNumbered }: { take: (given: GivenRow) => void, isNumbered: boolean }
): GivenRows {
  const all = [...rows]
  const at = (place: number): GivenRow => acceptedValues(context, all[place])
  let taken = 0
  const more = (): boolean => {
    if (taken === all.length) return false
    const place = taken++
    numbered(isNumbered, place, () => take(at(place)))
    return true
  }
  return { more, at }
}

function numbered<Result> (isNumbered: boolean, place: number, check: () => Result): Result {
  try {
    return check()
  } catch (error) {
    throw isNumbered ? atRow(error, place) : error
  }
}
