/**
 * Finds the row and the columns that a failed write is about. PostgreSQL reports neither as data, so this reads the `detail` of its
 * errors by pattern: `Key (name)=(ada) already exists.` and `Failing row contains (1, ada, f).`. The patterns match only names,
 * values and punctuation, which are the same in every language. A detail that does not match names no row; the error stays valid.
 */
import { dataTypeOf } from '../../drizzle/column-types.js'
import { DatabaseError, PolicyViolationError } from '../../errors/errors.js'
import { sqlStates } from '../../errors/sqlstate-codes.js'
import type { ErrorContext } from '../../errors/errors.js'
import type { Change } from './column-values.js'
import { findMisfit, textOf } from './misfits.js'
import type { ColumnCodec } from '../../values/column-codec.js'
import type { TableStatements } from '../table/table-statements.js'

/** The rows of one statement, and the index of the first among all given rows; undefined for a single row. */
export interface SentRows {
  readonly table: TableStatements
  readonly rows: ReadonlyArray<readonly Change[]>
  readonly start: number | undefined
}

/** SQLSTATEs about a row: invalid data, constraints, and rows that a policy or a view refuses. */
const aboutRows = /^(?:22|23|42501|44000)/

const refusedOrHidden = 'A policy of the database refuses the row, or hides an existing row with the same unique value'

/** The row and the columns that an error is about. */
interface Fault {
  readonly place?: number | undefined
  readonly columns: readonly ColumnCodec[]
}

/** Adds the index of the row to an error from before the row was sent; returns the same error. */
export function atRow (error: unknown, row: number): unknown {
  if (error instanceof DatabaseError && error.context.row === undefined) tell(error, inRow(row, error.message), { row })
  return error
}

/** Adds the row and the columns to an error of PostgreSQL, if they can be found; returns the same error. */
export function explained (error: unknown, { table, rows, start }: SentRows): unknown {
  if (!(error instanceof DatabaseError) || !aboutRows.test(String(error.context.sqlState)) || error.context.row !== undefined) return error
  const sqlState = String(error.context.sqlState)
  const { place = rows.length === 1 ? 0 : undefined, columns } = faultOf(error, sqlState, { table, rows })
  const row = start === undefined || place === undefined ? undefined : start + place
  // A message that the program gave to a constraint is kept.
  const isOwnWords = error.message !== (error.constructor as typeof DatabaseError).defaults.message
  const [column] = sqlState.startsWith('22') ? columns : []
  // PostgreSQL has one SQLSTATE for a new row that a policy refuses, and for a hidden row that the new one conflicts with.
  const isUpsert = error instanceof PolicyViolationError && error.context.operation?.startsWith('upsert') === true
  const message = isUpsert ? refusedOrHidden : column === undefined ? error.message : `Column "${column.key}": the value does not fit the type of the column`
  tell(error, isOwnWords ? error.message : inRow(row, message), {
    ...(columns.length > 0 && { columns: columns.map(({ key }) => key) }),
    ...(row !== undefined && { row })
  })
  return error
}

/** Changes the error in place: its session may already hold the same object. */
function tell (error: DatabaseError, message: string, context: Pick<ErrorContext, 'row' | 'columns'>): void {
  Object.assign(error, { context: { ...error.context, ...context }, message })
}

function inRow (row: number | undefined, message: string): string {
  return row === undefined ? message : `rows[${row}]: ${message}`
}

function faultOf ({ context: { column }, cause }: DatabaseError, sqlState: string, { table, rows }: Pick<SentRows, 'table' | 'rows'>): Fault {
  const detail = String(Object(cause).detail)
  switch (sqlState) {
    case sqlStates.notNullViolation: return missing(table.codecs.filter((codec) => table.builder.columnName(codec.column) === column), rows)
    case sqlStates.foreignKeyViolation: return ofKey(detail, { table, rows }, ([first]) => first)
    // Of two rows with the same key, PostgreSQL refuses the second, or both.
    case sqlStates.uniqueViolation: return ofKey(detail, { table, rows }, ([first, second]) => second ?? first)
    case sqlStates.checkViolation: return { place: onlyOne(placesOf(rows, (changes) => changes.every((change) => isIn(detail, change)))), columns: [] }
    default: {
      const misfit = findMisfit(sqlState, rows)
      return misfit === undefined ? { columns: [] } : { place: misfit.place, columns: [misfit.codec] }
    }
  }
}

function missing (columns: readonly ColumnCodec[], rows: SentRows['rows']): Fault {
  const [place] = placesOf(rows, (changes) => columns.some((column) => (changes.find(([codec]) => codec === column)?.[1] ?? null) === null))
  return { place, columns }
}

/** Reads `Key (name)=(ada) already exists.` */
function ofKey (detail: string, { table, rows }: Pick<SentRows, 'table' | 'rows'>, choose: (places: readonly number[]) => number | undefined): Fault {
  const [, names = '', values = ''] = /\((.*?)\)=\((.*)\)/s.exec(detail) ?? []
  const unquoted = names.split(', ').map((name) => name.replace(/^"|"$/g, '').replaceAll('""', '"'))
  const columns = unquoted.map((name) => table.codecs.find((codec) => table.builder.columnName(codec.column) === name))
  const known = columns.filter((codec) => codec !== undefined)
  if (known.length < columns.length) return { columns: [] }
  const textIn = (changes: readonly Change[]): string => known.map((column) => textOf(changes.find(([codec]) => codec === column)?.[1])).join(', ')
  return { place: choose(placesOf(rows, (changes) => textIn(changes) === values)), columns: known }
}

/** Whether `Failing row contains (1, ada, f).` has a value. Types whose text may differ from what was sent count as found. */
function isIn (detail: string, [{ column }, value]: Change): boolean {
  const dataType = dataTypeOf(column)
  const text = textOf(value)
  if (text === undefined || text.length > 60 || (dataType !== 'string' && dataType !== 'number')) return true
  return [`(${text}, `, `, ${text}, `, `, ${text})`].some((part) => detail.includes(part))
}

function placesOf (rows: SentRows['rows'], isMeant: (changes: readonly Change[]) => boolean): number[] {
  return [...rows.keys()].filter((place) => isMeant(rows[place] as readonly Change[]))
}

function onlyOne ([place, ...others]: readonly number[]): number | undefined {
  return others.length === 0 ? place : undefined
}
