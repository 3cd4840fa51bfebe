import type { StatementResult, StatementRunner } from '../../statement/statement.js'
import type { AnyRow } from '../table/answers.js'
import { isPlainObject } from '../../runtime/option-checks.js'
import { boundsOf } from './parse-options.js'
import type { Bounds } from './parse-options.js'
import type { TableStatements } from '../table/table-statements.js'

/** A list, as its caller asked for it. */
export interface AskedList {
  readonly operation: string
  readonly options: unknown
}

/**
 * Which rows a list reads: one more than the default limit where its caller gave none, so as to know whether there are more.
 * Rows that are to be locked are not read for that: it would lock one that the caller does not get.
 *
 * @throws ValidationError as {@link boundsOf}
 */
export function boundsOfList (options: unknown, { builder: { limits } }: TableStatements): Bounds {
  const bounds = boundsOf(options, limits)
  return has('limit', options) || has('lock', options) ? bounds : { limit: bounds.limit + 1, skip: bounds.skip }
}

/** The rows of a list without the one that was read to know more; says in the log, once for a route, that there are more. */
export function cut ({ rows }: StatementResult<AnyRow>, { operation, options }: AskedList, { session, table }: { session: StatementRunner, table: TableStatements }): AnyRow[] {
  const { defaultLimit } = table.builder.limits
  if (has('limit', options) || rows.length < (has('lock', options) ? defaultLimit : defaultLimit + 1)) return rows
  const { logger, label } = session.caller
  if (!table.cutFor.has(label)) {
    table.cutFor.add(label)
    logger.warn({ route: label, table: table.name, operation, limit: defaultLimit },
      'a list ended at the default limit, and there may be more rows: give it a limit, read page by page with cursor() or paginate(), or everything with stream()')
  }
  return rows.slice(0, defaultLimit)
}

function has (option: 'limit' | 'lock', options: unknown): boolean {
  return isPlainObject(options) && options[option] !== undefined
}
