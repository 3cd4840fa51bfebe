import type { SQL } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import { checkPlainCall } from '../../errors/check-call.js'
import { UsageError } from '../../errors/errors.js'
import { isPlainObject } from '../../runtime/option-checks.js'
import { isSql } from '../../values/column-codec.js'
import type { OptionChecks } from '../../runtime/option-checks.js'
import type { FilterObject } from '../types/filters.js'

/** The rows that a list may show, whatever its query string says. */
export interface ListScope<T extends PgTable> {
  /** Every row of the list matches this filter, too. Its columns need not be filterable. `{}` means every row. */
  readonly where: FilterObject<T> | SQL
}

const takes = 'must be an object of columns or a Drizzle condition: leave the scope out, or write { where: {} }, for every row'
const checks: OptionChecks<ListScope<PgTable>> = { where: [(value) => isPlainObject(value) || isSql(value), takes] }

/**
 * The filter of a scope, if one was given. One that is undefined is refused: it could mean every row, or none.
 *
 * @throws UsageError for anything but an object with a filter.
 */
export function scopeOf (call: string, given: readonly unknown[]): unknown[] {
  if (given.length === 0) return []
  const [scope] = given
  checkPlainCall(call, scope, checks)
  if (scope['where'] === undefined) throw new UsageError(`"where" of ${call} ${takes}`)
  return [scope['where']]
}
