import { ask, firstOf, rowsOf, valueOf } from '../table/answers.js'
import { askWriting, writtenBy } from './run-write.js'
import type { Statement } from '../../statement/statement.js'
import type { AnyRow } from '../table/answers.js'
import { changesOf } from './column-values.js'
import type { Change } from './column-values.js'
import { allOf, operandsOf } from '../filter/condition.js'
import type { Condition } from '../filter/condition.js'
import { expectedVersion, staleRow, unchangedSince } from './expected-version.js'
import type { Expected } from './expected-version.js'
import type { AnyAffected, HookName, LifecycleHooks } from './lifecycle-hooks.js'
import { count, exists, select } from '../read/select.js'
import { update } from './write-statements.js'
import { rowWithKey } from '../read/read-context.js'
import { acceptedValues, runBeforeHook, writing } from './write-context.js'
import type { WriteContext, WriteStep } from './write-context.js'

/** The hooks of methods that change rows. */
export const updateHooks: readonly HookName[] = ['beforeUpdate', 'afterUpdate']

/** The values and the options of an update, not checked yet. */
interface Asked {
  readonly values: unknown
  readonly options?: unknown
}

/**
 * Changes the row with a primary key. Resolves with the row as stored, or undefined if there is none.
 *
 * @throws StaleRowError if the row has another version than the expected one.
 */
export function updateOne (context: WriteContext, id: unknown, { values, options }: Asked): Promise<AnyRow | undefined> {
  return writing(context, updateHooks, async (step) => {
    const { table } = context
    const where = rowWithKey(context, id)
    const expected = expectedVersion(options, table)
    const given = acceptedValues(context, values)
    const changes = step.hooks === undefined ? changesOf(given, table) : await changesFromHook(given, context, { hooks: step.hooks, which: { id } })
    if (changes.length === 0) return await untouched(context, step, { where, expected })
    if (expected !== undefined) return await updateVersion(context, step, { changes, where, expected })
    const make = (): Statement => update(table, { operation: 'update', changes, where, returning: true })
    const row = await askWriting(step.session, { table, make, row: () => [...changes, ...operandsOf(where)] }, firstOf)
    if (row !== undefined && step.hooks !== undefined) await step.hooks.afterUpdate(row)
    return row
  })
}

/** Reads the row of an update without changes. */
async function untouched (
  { table }: WriteContext, { session }: WriteStep, { where, expected }: { where: Condition, expected: Expected | undefined }
): Promise<AnyRow | undefined> {
  const row = await ask(session, () => select(table, { operation: 'update', where, options: undefined, kind: 'row' }), firstOf)
  if (row !== undefined && expected !== undefined && row[expected.codec.key] !== expected.version) throw staleRow(expected)
  return row
}

interface VersionUpdate {
  readonly changes: readonly Change[]
  readonly where: Condition
  readonly expected: Expected
}

/** Updates a row with an expected version. If no row changed, a second statement distinguishes a missing row from one with another version. */
async function updateVersion (
  { table }: WriteContext, { session, hooks }: WriteStep, { changes, where, expected }: VersionUpdate
): Promise<AnyRow | undefined> {
  const current = allOf([where, unchangedSince(expected)])
  const make = (): Statement => update(table, { operation: 'update', changes, where: current, returning: true })
  const row = await askWriting(session, { table, make, row: () => [...changes, ...operandsOf(where)] }, firstOf)
  if (row === undefined && await ask(session, () => exists(table, where), valueOf) !== undefined) throw staleRow(expected)
  if (row !== undefined && hooks !== undefined) await hooks.afterUpdate(row)
  return row
}

/** Changes the rows of a condition and counts them. The rows are read only for a hook. */
export function updateRows (context: WriteContext, values: unknown, { where, filter }: { where: () => Condition, filter: unknown }): Promise<number> {
  return writing(context, updateHooks, async ({ session, hooks }) => {
    const { table } = context
    const meant = where()
    const given = acceptedValues(context, values)
    const changes = hooks === undefined ? changesOf(given, table) : await changesFromHook(given, context, { hooks, which: { filter } })
    if (changes.length === 0) return Number(await ask(session, () => count(table, meant), valueOf))
    if (hooks === undefined || !context.hooks?.names.has('afterUpdate')) {
      return await ask(session, () => update(table, { operation: 'updateMany', changes, where: meant, returning: false }), writtenBy)
    }
    const rows = await ask(session, () => update(table, { operation: 'updateMany', changes, where: meant, returning: true }), rowsOf)
    for (const row of rows) await hooks.afterUpdate(row)
    return rows.length
  })
}

interface HookCall {
  readonly hooks: LifecycleHooks
  readonly which: AnyAffected
}

/** The changes after the hook `beforeUpdate`, which is not called if there is nothing to write. */
async function changesFromHook (given: AnyRow, { table }: WriteContext, { hooks, which }: HookCall): Promise<Change[]> {
  if (Object.keys(given).length === 0) return []
  return changesOf(await runBeforeHook(given, table, (values) => hooks.beforeUpdate(values, which)), table)
}
