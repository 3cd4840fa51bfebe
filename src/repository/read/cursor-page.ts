import { DatabaseError, ValidationError } from '../../errors/errors.js'
import { ask } from '../table/answers.js'
import { sqlStates } from '../../errors/sqlstate-codes.js'
import type { AnyRow } from '../table/answers.js'
import { collect, allOf, toSql } from '../filter/condition.js'
import type { Condition } from '../filter/condition.js'
import { identityOf, invalidCursor, readCursor, writeCursor } from './cursor-token.js'
import type { CursorList } from './cursor-token.js'
import { about } from '../../values/encode-value.js'
import { isPlainObject } from '../../runtime/option-checks.js'
import { behind, keysetOf, reversed } from './keyset.js'
import type { KeysetKey, Position } from './keyset.js'
import { orderSql, parseOrderKeys } from './order.js'
import { knownOptions, pageSizeOf, parseColumns } from './parse-options.js'
import { placedReader } from '../../values/column-codec.js'
import type { ColumnCodec, PlacedRow } from '../../values/column-codec.js'
import { parameter } from '../table/statement-shape.js'
import type { Shape } from '../table/statement-shape.js'
import type { Statement, StatementRunner } from '../../statement/statement.js'
import type { TableStatements } from '../table/table-statements.js'

/** One page of a list, and the cursors of its neighbours. */
export interface CursorRows {
  readonly items: AnyRow[]
  readonly next: string | null
  readonly previous: string | null
}

/** The condition and the options of a list. */
interface Asked {
  readonly where: Condition
  readonly options: unknown
}

/** A part of a list: its start, its direction, and its maximum number of rows. */
interface Walk {
  readonly keys: readonly KeysetKey[]
  readonly position: Position | undefined
  readonly isBackward: boolean
  readonly limit: number
}

/** Reads one page after or before a cursor. It reads one row more than the limit, to detect whether the list goes on. */
export async function readByCursor (session: StatementRunner, table: TableStatements, { where, options }: Asked): Promise<CursorRows> {
  const given = knownOptions({ options, kind: 'cursor' })
  const shape = table.shape('cursor')
  collect(where, shape)
  const keys = keysFor(given['orderBy'], table, shape)
  const list = { identity: identityOf(table.name, shape.key, shape.values), size: keys.length }
  const walk = walkOf(given, keys, { list, limit: pageSizeOf(given['limit'], table.builder.limits) })
  const columns = parseColumns(given['columns'], table, shape)
  const rows = await ask(session, () => selectWalk(table, shape, { where, columns, walk }), (result: { rows: PlacedRow[] }) => result.rows)
    .catch((error: unknown) => { throw walk.position !== undefined && isUnreadable(error) ? invalidCursor(error) : error })
  return pageOf(rows, walk, list)
}

function keysFor (orderBy: unknown, table: TableStatements, shape: Shape): readonly KeysetKey[] {
  if (orderBy !== undefined && !isPlainObject(orderBy)) {
    throw new ValidationError('A cursor orders by columns alone: "orderBy" takes an object { column: \'asc\' | \'desc\' }')
  }
  const keys = keysetOf(parseOrderKeys(orderBy, table, shape), table.primaryKey)
  const unordered = keys.find(({ codec }) => !codec.comparable)
  if (unordered !== undefined) throw new ValidationError(`Column "${unordered.codec.key}": PostgreSQL has no order for its type`, about(unordered.codec))
  return keys
}

function walkOf ({ after, before }: Readonly<Record<string, unknown>>, keys: readonly KeysetKey[], { list, limit }: { list: CursorList, limit: number }): Walk {
  if (after !== undefined && before !== undefined) throw new ValidationError('A page is "after" one cursor or "before" one, not both')
  const isBackward = before !== undefined
  const cursor = isBackward ? before : after
  const position = cursor === undefined ? undefined : readCursor(cursor, list)
  return { keys: isBackward ? reversed(keys) : keys, position, isBackward, limit }
}

function selectWalk (
  table: TableStatements, shape: Shape, { where, columns, walk }: { where: Condition, columns: readonly ColumnCodec[], walk: Walk }
): Statement {
  const { keys, position, isBackward, limit } = walk
  const from = position === undefined ? where : allOf([where, behind(keys, position)])
  // A backward page has another order; everything else is already in the shape.
  shape.key += isBackward ? 'before ' : 'after '
  shape.values.length = 0
  collect(from, shape)
  shape.values.push(limit + 1)
  return table.call(shape, () => {
    const rest = keys.map(({ codec }) => codec).filter((codec) => !columns.includes(codec))
    const selected = [...columns, ...rest]
    const places = keys.map(({ codec }) => selected.indexOf(codec))
    const query = table.builder.drizzle.select(table.fields(selected)).from(table.table).where(toSql(from)).orderBy(...keys.map(orderSql)).limit(parameter)
    return { query: query.getSQL(), reader: placedReader(table.rowReader(columns), places), kind: 'read' }
  })
}

/** SQLSTATE of an unknown time zone: the cursor was forged. */
const unknownZone = sqlStates.invalidParameterValue

function isUnreadable (error: unknown): boolean {
  return error instanceof DatabaseError && error.context.sqlState === unknownZone
}

function pageOf (rows: readonly PlacedRow[], { position, isBackward, limit }: Walk, list: CursorList): CursorRows {
  const read = rows.slice(0, limit)
  const goesOn = rows.length > limit
  const page = isBackward ? read.reverse() : read
  const cursorOf = (placed: PlacedRow | undefined): string | null => placed === undefined ? null : writeCursor(placed.position, list)
  return {
    items: page.map(({ row }) => row),
    next: goesOn || isBackward ? cursorOf(page.at(-1)) : null,
    previous: isBackward ? (goesOn ? cursorOf(page[0]) : null) : position === undefined ? null : cursorOf(page[0])
  }
}
