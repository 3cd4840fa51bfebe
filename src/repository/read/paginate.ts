import { ValidationError } from '../../errors/errors.js'
import { ask, rowsOf, valueOf } from '../table/answers.js'
import type { AnyRow } from '../table/answers.js'
import type { Condition } from '../filter/condition.js'
import { knownOptions, pageSizeOf } from './parse-options.js'
import { isCount } from '../../runtime/option-checks.js'
import { count, select } from './select.js'
import type { StatementRunner } from '../../statement/statement.js'
import type { TableStatements } from '../table/table-statements.js'

/** One page of a list, and the length of the list. */
export interface NumberedRows {
  readonly items: AnyRow[]
  readonly page: number
  readonly limit: number
  readonly total: number
  readonly pages: number
}

/** Reads a page by its number, and counts all rows that match. Both statements start together, so a session sends them together. */
export async function paginate (
  session: StatementRunner, table: TableStatements, { where, options }: { where: Condition, options: unknown }
): Promise<NumberedRows> {
  const given = knownOptions({ options, kind: 'numbered' })
  const limit = pageSizeOf(given['limit'], table.builder.limits)
  const page = pageNumberOf(given['page'], limit)
  const bounds = { limit, skip: (page - 1) * limit }
  const list = select(table, { operation: 'paginate', where, options, kind: 'numbered', bounds })
  const [items, total] = await Promise.all([
    ask(session, () => list, rowsOf),
    ask(session, () => count(table, where), valueOf).then(Number)
  ])
  return { items, page, limit, total, pages: Math.ceil(total / limit) }
}

function pageNumberOf (page: unknown = 1, limit: number): number {
  const last = Math.floor(Number.MAX_SAFE_INTEGER / limit)
  if (!isCount(page) || page < 1 || page > last) throw new ValidationError(`"page" is a whole number from 1 to ${last}`)
  return page
}
