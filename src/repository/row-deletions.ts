import { sql } from 'drizzle-orm'
import { ValidationError } from '../errors/errors.js'
import { now } from '../model/constant.js'
import type { StatementResult, StatementRunner } from '../session/statement.js'
import { ask, rowsOf, writtenBy } from './answers.js'
import type { AnyRow } from './answers.js'
import { changesWith } from './changes.js'
import { allOf, toSql } from './condition.js'
import type { Condition } from './condition.js'
import { encode } from './encode.js'
import { isPlainObject } from './filter.js'
import type { AnyAffected, HookName } from './hooks.js'
import { keyCondition } from './key.js'
import { isAnyThere, isNothing, whenNothingCame } from './nothing-came.js'
import { changeOne, updateHooks } from './row-updates.js'
import type { ColumnCodec } from './rows.js'
import { visible } from './visibility.js'
import { remove } from './write.js'
import { heard, writing } from './writing.js'
import type { WriteContext } from './writing.js'

const deleteHooks: readonly HookName[] = ['beforeDelete', 'afterDelete']

/** Which rows are deleted for good, and by which method. */
export interface Removal {
  readonly operation: string
  readonly where: () => Condition
  readonly which: AnyAffected
  /** Whether it is one row, by its key, which must be gone then. @defaultValue false */
  readonly isOne?: boolean
}

/** Deletes rows for good and counts them. They are read for a hook alone. */
export function removeRows (context: WriteContext, removal: Removal): Promise<number> {
  const { where, which } = removal
  if (context.hooks === undefined) return erased(context, context.session, { removal, returning: false, read: writtenBy })
  if (context.hooks.names.has('afterDelete')) return takeRows(context, removal).then(({ length }) => length)
  return writing(context, deleteHooks, async ({ session, hooks }) => {
    const meant = where()
    if (hooks !== undefined) await hooks.beforeDelete(which, { final: true })
    return await erased(context, session, { removal: { ...removal, where: () => meant }, returning: false, read: writtenBy })
  })
}

/** Deletes rows for good and resolves with what they were. */
export function takeRows (context: WriteContext, removal: Removal): Promise<AnyRow[]> {
  return writing(context, deleteHooks, async ({ session, hooks }) => {
    const meant = removal.where()
    if (hooks !== undefined) await hooks.beforeDelete(removal.which, { final: true })
    const rows = await erased(context, session, { removal: { ...removal, where: () => meant }, returning: true, read: rowsOf })
    if (hooks !== undefined) for (const row of rows) await hooks.afterDelete(row, { final: true })
    return rows
  })
}

interface Erasing<Row, Result> {
  readonly removal: Removal
  readonly returning: boolean
  readonly read: (answer: StatementResult<Row>) => Result
}

/** @throws NotStoredError where one row was meant, which PostgreSQL does not delete */
async function erased<Row, Result> ({ table }: WriteContext, session: StatementRunner, { removal, returning, read }: Erasing<Row, Result>): Promise<Result> {
  const { operation, isOne = false } = removal
  const where = removal.where()
  const statement = remove(table, { operation, where, returning })
  const came = await ask(session, () => statement, read)
  if (!isOne || !isNothing(came)) return came
  // Of a statement that a rule has made nothing of, PostgreSQL keeps nothing by its name, also when the rule has gone.
  const again = (): Promise<Result> => ask(session, () => ({ ...statement, name: undefined }), read)
  return await whenNothingCame({ operation, table, came, again, isThere: () => isAnyThere(session, table, where) })
}

/** Marks a row that lives as deleted, whatever else the repository sees. */
export function markDeleted (context: WriteContext, id: unknown): Promise<AnyRow | undefined> {
  return writing(context, deleteHooks, async ({ session, hooks }) => {
    const { table } = context
    const codec = deletedAtOf(context, 'softDelete')
    const where = allOf([keyCondition(id, table), visible(table.softDelete, 'live')])
    if (hooks !== undefined) await hooks.beforeDelete({ id }, { final: false })
    const changes = changesWith({ [codec.key]: now }, table)
    const row = await changeOne(session, table, { operation: 'softDelete', changes, where })
    if (row !== undefined) await hooks?.afterDelete(row, { final: false })
    return row
  })
}

/** Takes the mark from a row that is deleted, whatever else the repository sees: an update, to the hooks. */
export function markLive (context: WriteContext, id: unknown): Promise<AnyRow | undefined> {
  return writing(context, updateHooks, async ({ session, hooks }) => {
    const { table } = context
    const mark = { [deletedAtOf(context, 'restore').key]: null }
    const where = allOf([keyCondition(id, table), visible(table.softDelete, 'deleted')])
    const values = hooks && await heard(mark, table, (given) => hooks.beforeUpdate(given, { id }))
    const changes = changesWith({ ...values, ...mark }, table)
    const row = await changeOne(session, table, { operation: 'restore', changes, where })
    if (row !== undefined) await hooks?.afterUpdate(row)
    return row
  })
}

/** Deletes for good what was deleted long enough ago, whatever else the repository sees. */
export async function purge (context: WriteContext, options: unknown): Promise<number> {
  const where = deletedBefore(options, deletedAtOf(context, 'purge'))
  return await removeRows(context, { operation: 'purge', where: () => where, which: { filter: toSql(where) } })
}

function deletedAtOf ({ table: { softDelete, name } }: WriteContext, operation: string): ColumnCodec {
  if (softDelete !== undefined) return softDelete.codec
  throw new ValidationError(`${operation}() needs a table with ...softDelete() among its columns`, { context: { operation, table: name } })
}

/** A purge that was told nothing must not delete everything. */
function deletedBefore (options: unknown, codec: ColumnCodec): Condition {
  const { olderThan, ...rest }: Record<string, unknown> = isPlainObject(options) ? options : {}
  if (Object.keys(rest).length === 0) {
    if (olderThan instanceof Date) return { kind: 'test', codec, test: 'lt', operands: [encode(codec, olderThan)] }
    if (typeof olderThan === 'number' && Number.isFinite(olderThan) && olderThan >= 0) {
      // Rounded as the column is: otherwise what was deleted in this very millisecond would not be older than 0 days.
      return { kind: 'test', codec, test: 'lte', operands: [sql`(now() - ${olderThan}::float8 * interval '24 hours')::timestamptz(3)`] }
    }
  }
  throw new ValidationError('purge() takes { olderThan: a Date, or a number of days }')
}
