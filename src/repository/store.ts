import type { StatementRunner } from '../session/statement.js'
import type { AnyRow } from './answers.js'
import { givenTo, heard, writing } from './writing.js'
import type { WriteContext } from './writing.js'

/** The values of a new row, as its caller gave them and the hook left them, without any default: their keys are columns that may be written. */
export type GivenRow = Readonly<AnyRow>

/** The rows of a result, by what became of them. */
export interface StoredRows {
  readonly created: readonly AnyRow[]
  readonly updated?: readonly AnyRow[]
}

/** How rows that are prepared reach the database, and what came of them. */
export interface Storing<Result> {
  /** Checks a row, and keeps of it what is to be sent; a row behind it may still be refused. */
  readonly take: (given: GivenRow) => void
  /** Sends all that was taken: through this session, which is the repository's own or a scope inside it. */
  readonly send: (session: StatementRunner) => Promise<Result>
  /** Which rows the result has. */
  readonly stored: (result: Result) => StoredRows
}

/**
 * The way of every new row, whatever method makes it: what its caller may write is checked, the hook `beforeCreate` has its
 * say, the row is stored, and the hooks `afterCreate` and `afterUpdate` get it as it is now.
 * Every row is checked before the first is sent.
 */
export function storeRows<Result> (context: WriteContext, rows: readonly unknown[], { take, send, stored }: Storing<Result>): Promise<Result> {
  return writing(context, ['beforeCreate', 'afterCreate', 'afterUpdate'], async ({ session, hooks }) => {
    if (hooks === undefined) {
      for (const values of rows) take(givenTo(context, values))
      return await send(session)
    }
    const givens = rows.map((values) => givenTo(context, values))
    for (const given of givens) take(await heard(given, context.table, (values) => hooks.beforeCreate(values)))
    const result = await send(session)
    const { created, updated = [] } = stored(result)
    for (const row of created) await hooks.afterCreate(row)
    for (const row of updated) await hooks.afterUpdate(row)
    return result
  })
}
