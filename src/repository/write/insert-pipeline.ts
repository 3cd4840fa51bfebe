import type { StatementRunner } from '../../statement/statement.js'
import type { AnyRow } from '../table/answers.js'
import { atRow } from './failed-rows.js'
import { acceptedValues, runBeforeHook, writing } from './write-context.js'
import type { WriteContext } from './write-context.js'

/** The values of a new row, as its caller gave them and the hook left them, without any default: their keys are columns that may be written. */
export type GivenRow = Readonly<AnyRow>

/** The rows of a result, by what became of them. */
export interface StoredRows {
  readonly created: readonly AnyRow[]
  readonly updated?: readonly AnyRow[]
}

/** The rows that a write was given. */
export interface GivenRows {
  /** Has one more row taken, and tells whether there was one. */
  readonly more: () => boolean
  /** A row that was taken, by its place among all. */
  readonly at: (place: number) => GivenRow
}

/** How rows that are prepared reach the database, and what came of them. */
export interface Storing<Result> {
  /** Checks a row, and keeps of it what is to be sent; a row behind it may still be refused. */
  readonly take: (given: GivenRow) => void
  /** Whether an error says which row it is about: where the caller gave many. */
  readonly isNumbered?: boolean
  /** Whether rows are taken while others are sent: what then throws must undo those. Otherwise all are taken before. */
  readonly isGradual?: boolean
  /** Sends what was taken, through this session, which is the repository's own or a scope inside it. */
  readonly send: (session: StatementRunner, rows: GivenRows) => Promise<Result>
  /** Which rows the result has. */
  readonly stored: (result: Result) => StoredRows
}

/**
 * The way of every new row, whatever method makes it: what its caller may write is checked, the hook `beforeCreate` has its
 * say, the row is stored, and the hooks `afterCreate` and `afterUpdate` get it as it is now.
 */
export function storeRows<Result> (context: WriteContext, rows: readonly unknown[], { take, isGradual = false, isNumbered = false, send, stored }: Storing<Result>): Promise<Result> {
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

/** Rows that are checked as they are taken, whatever becomes of their array meanwhile. */
function givenRows (context: WriteContext, rows: readonly unknown[], { take, isNumbered }: { take: (given: GivenRow) => void, isNumbered: boolean }): GivenRows {
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
