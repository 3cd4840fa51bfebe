import { sql } from 'drizzle-orm'
import { UsageError, ValidationError } from '../../errors/errors.js'
import { sqlTypeOf } from '../../drizzle/column-types.js'
import { now } from '../../drizzle/constant-sql.js'
import type { StatementRunner } from '../../statement/statement.js'
import { ask, firstOf, rowsOf } from '../table/answers.js'
import { writtenBy } from './run-write.js'
import type { AnyRow } from '../table/answers.js'
import { changesWith } from './column-values.js'
import { allOf, toSql } from '../filter/condition.js'
import type { Condition } from '../filter/condition.js'
import { encode } from '../../values/encode-value.js'
import { momentFor } from '../../values/timestamp-reader.js'
import { isPlainObject } from '../../runtime/option-checks.js'
import type { AnyAffected, HookName } from './lifecycle-hooks.js'
import { keyCondition } from '../filter/key-condition.js'
import { updateHooks } from './update.js'
import type { ColumnCodec } from '../../values/column-codec.js'
import { visible } from '../filter/visibility.js'
import { remove, update } from './write-statements.js'
import { runBeforeHook, writing } from './write-context.js'
import type { WriteContext } from './write-context.js'

const purgeOptions = 'purge() takes { olderThan: a Date, or a number of days }'

const deleteHooks: readonly HookName[] = ['beforeDelete', 'afterDelete']

/** The rows to delete permanently, and the method that does it. */
export interface Removal {
  readonly operation: string
  readonly where: () => Condition
  readonly which: AnyAffected
}

/** Deletes rows permanently and counts them. The rows are read only for a hook. */
export function removeRows (context: WriteContext, { operation, where, which }: Removal): Promise<number> {
  const removed = (session: StatementRunner, meant: () => Condition): Promise<number> =>
    ask(session, () => remove(context.table, { operation, where: meant(), returning: false }), writtenBy)
  if (context.hooks === undefined) return removed(context.session, where)
  if (context.hooks.names.has('afterDelete')) return takeRows(context, { operation, where, which }).then(({ length }) => length)
  return writing(context, deleteHooks, async ({ session, hooks }) => {
    const meant = where()
    if (hooks !== undefined) await hooks.beforeDelete(which, { final: true })
    return await removed(session, () => meant)
  })
}

/** Deletes rows permanently and resolves with the deleted rows. */
export function takeRows (context: WriteContext, { operation, where, which }: Removal): Promise<AnyRow[]> {
  return writing(context, deleteHooks, async ({ session, hooks }) => {
    const meant = where()
    if (hooks !== undefined) await hooks.beforeDelete(which, { final: true })
    const rows = await ask(session, () => remove(context.table, { operation, where: meant, returning: true }), rowsOf)
    if (hooks !== undefined) for (const row of rows) await hooks.afterDelete(row, { final: true })
    return rows
  })
}

/** Marks a live row as deleted, independent of the visibility of the repository. */
export function markDeleted (context: WriteContext, id: unknown): Promise<AnyRow | undefined> {
  return writing(context, deleteHooks, async ({ session, hooks }) => {
    const { table } = context
    const codec = deletedAtOf(context, 'softDelete')
    const where = allOf([keyCondition(id, table), visible(table.softDelete, 'live')])
    if (hooks !== undefined) await hooks.beforeDelete({ id }, { final: false })
    const changes = changesWith({ [codec.key]: now }, table)
    const row = await ask(session, () => update(table, { operation: 'softDelete', changes, where, returning: true }), firstOf)
    if (row !== undefined && hooks !== undefined) await hooks.afterDelete(row, { final: false })
    return row
  })
}

/** Removes the mark of a deleted row, independent of the visibility of the repository. Hooks see an update. */
export function markLive (context: WriteContext, id: unknown): Promise<AnyRow | undefined> {
  return writing(context, updateHooks, async ({ session, hooks }) => {
    const { table } = context
    const mark = { [deletedAtOf(context, 'restore').key]: null }
    const where = allOf([keyCondition(id, table), visible(table.softDelete, 'deleted')])
    const values = hooks && await runBeforeHook(mark, table, (given) => hooks.beforeUpdate(given, { id }))
    const changes = changesWith({ ...values, ...mark }, table)
    const row = await ask(session, () => update(table, { operation: 'restore', changes, where, returning: true }), firstOf)
    if (row !== undefined && hooks !== undefined) await hooks.afterUpdate(row)
    return row
  })
}

/** Permanently deletes rows that were deleted long enough ago, independent of the visibility of the repository. */
export async function purge (context: WriteContext, options: unknown): Promise<number> {
  const where = deletedBefore(options, deletedAtOf(context, 'purge'))
  return await removeRows(context, { operation: 'purge', where: () => where, which: { filter: toSql(where) } })
}

function deletedAtOf ({ table: { softDelete, name } }: WriteContext, operation: string): ColumnCodec {
  if (softDelete !== undefined) return softDelete.codec
  throw new UsageError(`${operation}() needs a table with ...softDelete() among its columns`, { context: { operation, table: name } })
}

/** The condition of `olderThan`, which is required: a purge without it must not delete everything. */
function deletedBefore (options: unknown, codec: ColumnCodec): Condition {
  if (!isPlainObject(options) || Object.keys(options).join() !== 'olderThan') throw new UsageError(purgeOptions)
  const { olderThan } = options
  if (olderThan instanceof Date) return { kind: 'test', codec, test: 'lt', operands: [encode(codec, momentFor(codec.column, olderThan))] }
  if (typeof olderThan === 'number' && Number.isFinite(olderThan) && olderThan >= 0) {
    // Rounded like the column: otherwise a row deleted in this millisecond would not be older than 0 days.
    const type = sql.raw(sqlTypeOf(codec.column))
    return { kind: 'test', codec, test: 'lte', operands: [sql`(now() - ${olderThan}::float8 * interval '24 hours')::${type}`] }
  }
  throw new ValidationError(purgeOptions)
}
