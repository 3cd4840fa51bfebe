import type { StatementResult, StatementRunner } from '../../statement/statement.js'
import type { AnyRow } from '../table/answers.js'
import { isPlainObject } from '../../runtime/option-checks.js'
import { boundsOf } from './parse-options.js'
import type { Bounds } from './parse-options.js'
import type { TableStatements } from '../table/table-statements.js'

/** The operation and the options of a list. */
export interface AskedList {
  readonly operation: string
  readonly options: unknown
}

/**
 * The limit and the offset of a list. Without a given limit it reads one row more than the default limit, to detect whether there
 * are more. A list that locks its rows does not: it would lock a row that the caller does not get.
 *
 * @throws ValidationError as {@link boundsOf}
 */
export function boundsOfList (options: unknown, { builder: { limits } }: TableStatements): Bounds {
  const bounds = boundsOf(options, limits)
  return has('limit', options) || has('lock', options) ? bounds : { limit: bounds.limit + 1, skip: bounds.skip }
}

/** Removes the extra row of a list. Logs once per route that the default limit cut a list. */
export function cut (
  { rows }: StatementResult<AnyRow>, { operation, options }: AskedList, { session, table }: { session: StatementRunner, table: TableStatements }
): AnyRow[] {
  const { defaultLimit } = table.builder.limits
  if (has('limit', options) || rows.length < (has('lock', options) ? defaultLimit : defaultLimit + 1)) return rows
  const { logger, label } = session.caller
  if (table.warnedCallers.get(label) === undefined) {
    table.warnedCallers.set(label, true)
    logger.warn({ route: label, table: table.name, operation, limit: defaultLimit },
      'a list ended at the default limit, and there may be more rows: give it a limit, read page by page with cursor() or paginate(), or everything with stream()')
  }
  return rows.slice(0, defaultLimit)
}

function has (option: 'limit' | 'lock', options: unknown): boolean {
  return isPlainObject(options) && options[option] !== undefined
}
