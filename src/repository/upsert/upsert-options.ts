import { checkPlainCall } from '../../errors/check-call.js'
import { UsageError } from '../../errors/errors.js'
import { changesOf } from '../write/column-values.js'
import type { Change } from '../write/column-values.js'
import { allOf } from '../filter/condition.js'
import type { Condition } from '../filter/condition.js'
import { columnName, conflictTarget } from './conflict-target.js'
import type { ConflictTarget } from './conflict-target.js'
import { parseFilter } from '../filter/parse-filter.js'
import { anything, oneOf } from '../../runtime/option-checks.js'
import { findColumn } from '../table/find-column.js'
import type { GivenRow } from '../write/insert-pipeline.js'
import { visible } from '../filter/visibility.js'
import { acceptedValues } from '../write/write-context.js'
import type { WriteContext } from '../write/write-context.js'

/** The options of an upsert, checked. */
export interface UpsertPlan {
  readonly target: ConflictTarget
  /** The changes to an existing row, and the condition for them. */
  readonly update: (given: GivenRow) => { readonly set: readonly Change[], readonly where: Condition, readonly mayLeave: boolean }
}

const checks = { target: anything, update: anything, where: anything, deleted: oneOf('keep', 'revive') }

/**
 * Reads the options of `upsert` and `upsertMany`.
 *
 * @throws UsageError for an unknown or invalid option, or a target that is not a unique key.
 */
export function parseUpsert (context: WriteContext, options: unknown = {}): UpsertPlan {
  const { table, visibleRows } = context
  checkPlainCall('an upsert', options, checks)
  const target = conflictTarget(options['target'], table)
  const revived = parseDeleted(options['deleted'], { context, target })
  const updated = parseUpdate(options['update'], { context, target })
  const asked = parseFilter(options['where'], table.columns)
  const isAsked = asked.kind !== 'everything'
  if (revived === undefined) {
    return {
      target,
      update: (given) => {
        const set = changesOf(updated(given), table)
        return { set, where: allOf([visibleRows, asked]), mayLeave: isAsked || set.length === 0 }
      }
    }
  }
  return {
    target,
    update: (given) => {
      const values = updated(given)
      // A row that is not deleted needs no revival: without other changes it stays unchanged.
      const isChange = Object.keys(values).length > 0
      const where = isChange ? asked : allOf([visible(table.softDelete, 'deleted'), asked])
      return { set: changesOf(withoutPrototype({ [revived]: null }, values), table), where, mayLeave: isAsked || !isChange }
    }
  }
}

interface Parsing {
  readonly context: WriteContext
  readonly target: ConflictTarget
}

/** The key of the `softDelete()` column that `revive` sets to NULL. */
function parseDeleted (deleted: unknown, { context: { table: { softDelete, name } }, target }: Parsing): string | undefined {
  if (deleted !== 'revive') return undefined
  const context = { table: name }
  if (softDelete === undefined) throw new UsageError('"deleted" needs a table with ...softDelete() among its columns', { context })
  if (target.where !== undefined) throw new UsageError('A deleted row cannot be revived by a unique index that does not hold it', { context })
  return softDelete.codec.key
}

/** The changes to an existing row, in a new object. */
function parseUpdate (update: unknown, { context, target }: Parsing): (given: GivenRow) => Record<string, unknown> {
  const { table } = context
  if (update !== undefined && !Array.isArray(update)) {
    const values = acceptedValues(context, update)
    return () => withoutPrototype(values)
  }
  const listed = update && new Set(update.map((key) => findColumn(columnName(key), table.columns, UsageError).key))
  const found = new Set(target.codecs.map(({ key }) => key))
  return (given) => {
    const values: Record<string, unknown> = Object.create(null)
    for (const codec of table.codecs) {
      const { key } = codec
      if (given[key] !== undefined && (listed === undefined ? !found.has(key) : listed.has(key))) values[key] = table.builder.excluded(codec)
    }
    return values
  }
}

/** Without a prototype, because a column may have the name of an inherited property. */
function withoutPrototype (...parts: ReadonlyArray<Readonly<Record<string, unknown>>>): Record<string, unknown> {
  return Object.assign(Object.create(null) as Record<string, unknown>, ...parts) as Record<string, unknown>
}
