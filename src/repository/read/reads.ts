import { MultipleResultsError, NotFoundError, ValidationError } from '../../errors/errors.js'
import { selectExtreme } from '../aggregate/extremes.js'
import { selectSum } from '../aggregate/sums.js'
import { allOf } from '../filter/condition.js'
import { parseFilter } from '../filter/parse-filter.js'
import { ask, firstOf, rowsOf, valueOf } from '../table/answers.js'
import { readByCursor } from './cursor-page.js'
import { boundsOfList, cut } from './default-limit.js'
import { paginate } from './paginate.js'
import { errorContext, rowWithKey } from './read-context.js'
import { count, exists, select, selectMany } from './select.js'
import { stream } from './stream.js'
import type { Statement, StatementResult } from '../../statement/statement.js'
import type { Extreme } from '../aggregate/extremes.js'
import type { SumFunction } from '../aggregate/sums.js'
import type { Condition } from '../filter/condition.js'
import type { AnyRow } from '../table/answers.js'
import type { CursorRows } from './cursor-page.js'
import type { NumberedRows } from './paginate.js'
import type { ReadContext } from './read-context.js'

// The reading methods of a repository, without the types of its table. All input is checked; invalid input rejects and never throws.

export function getByKey (context: ReadContext, id: unknown, options: unknown): Promise<AnyRow | undefined> {
  return ask(context.session, () => select(context.table, { operation: 'get', where: rowWithKey(context, id), options, kind: 'row' }), firstOf)
}

export function getByFilter (context: ReadContext, filter: unknown, options: unknown): Promise<AnyRow | undefined> {
  const make = (): Statement => select(context.table, { operation: 'getBy', where: matching(context, filter), options, kind: 'row', limit: 2 })
  return ask(context.session, make, ({ rows }) => {
    if (rows.length > 1) throw new MultipleResultsError(undefined, errorContext(context, 'getBy'))
    return rows[0] as AnyRow | undefined
  })
}

export function getByKeys ({ table, session, visibleRows }: ReadContext, ids: unknown): Promise<AnyRow[]> {
  if (!Array.isArray(ids)) {
    return Promise.reject(new ValidationError('getMany() takes an array of primary keys', { context: { operation: 'getMany', table: table.name } }))
  }
  if (ids.length === 0) return Promise.resolve([])
  return ask(session, () => selectMany(table, ids, visibleRows), rowsOf)
}

/** Reads a page of rows for `getAll` and `filter`. */
export function listRows (context: ReadContext, { operation, filter, options }: { operation: string, filter?: unknown, options: unknown }): Promise<AnyRow[]> {
  const { table, session } = context
  const make = (): Statement => {
    const bounds = boundsOfList(options, table)
    return select(table, { operation, where: matching(context, filter), options, kind: 'page', bounds })
  }
  return ask<AnyRow, AnyRow[]>(session, make, (result) => cut(result, { operation, options }, { session, table }))
}

export async function paginateRows (context: ReadContext, filter: unknown, options: unknown): Promise<NumberedRows> {
  return await paginate(context.session, context.table, { where: matching(context, filter), options })
}

export async function pageByCursor (context: ReadContext, filter: unknown, options: unknown): Promise<CursorRows> {
  return await readByCursor(context.session, context.table, { where: matching(context, filter), options })
}

/** Invalid input throws at once: there is no promise yet that could reject. */
export function streamRows (context: ReadContext, filter: unknown, options: unknown): AsyncGenerator<AnyRow, void, undefined> {
  return stream(context.session, context.table, { where: matching(context, filter), options })
}

export function firstRow (context: ReadContext, filter: unknown, options: unknown): Promise<AnyRow | undefined> {
  return ask(context.session, () => select(context.table, { operation: 'first', where: matching(context, filter), options, kind: 'first', limit: 1 }), firstOf)
}

export async function countRows (context: ReadContext, filter: unknown): Promise<number> {
  return Number(await ask(context.session, () => count(context.table, matching(context, filter)), valueOf))
}

export async function anyRow (context: ReadContext, filter: unknown): Promise<boolean> {
  return await ask(context.session, () => exists(context.table, matching(context, filter)), valueOf) !== undefined
}

/** A column, and the rows to compute one value of. */
interface Values {
  readonly column: unknown
  readonly filter: unknown
}

/** The sum or the average of a column; null without a value. */
export function sumOf (context: ReadContext, name: SumFunction, { column, filter }: Values): Promise<unknown> {
  return ask(context.session, () => selectSum(context.table, name, { column, where: matching(context, filter) }), valueIn)
}

/** The least or the greatest value of a column; null without a value. */
export function extremeOf (context: ReadContext, name: Extreme, { column, filter }: Values): Promise<unknown> {
  return ask(context.session, () => selectExtreme(context.table, name, { column, where: matching(context, filter) }), valueIn)
}

function valueIn (result: StatementResult<AnyRow>): unknown {
  return firstOf(result)?.['value'] ?? null
}

/** Resolves with the row. @throws NotFoundError without one */
export function found (context: ReadContext, operation: string, looked: Promise<AnyRow | undefined>): Promise<AnyRow> {
  return looked.then((row) => {
    if (row === undefined) throw new NotFoundError(undefined, errorContext(context, operation))
    return row
  })
}

function matching ({ table, visibleRows }: ReadContext, filter: unknown): Condition {
  return allOf([parseFilter(filter, table.columns), visibleRows])
}
