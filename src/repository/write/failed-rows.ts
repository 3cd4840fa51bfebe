import { DatabaseError } from '../../errors/errors.js'
import type { ErrorContext } from '../../errors/errors.js'
import type { Change } from './column-values.js'
import { findMisfit, textOf } from './misfits.js'
import type { ColumnCodec } from '../../values/column-codec.js'
import type { TableStatements } from '../table/table-statements.js'

/** Rows that PostgreSQL was sent in one statement, and the place of the first among all that the caller gave; undefined for a row by itself. */
export interface SentRows {
  readonly table: TableStatements
  readonly rows: ReadonlyArray<readonly Change[]>
  readonly start: number | undefined
}

/** Data that cannot be, constraints, rows that a policy or a view refuses: any other SQLSTATE tells of no row. */
const aboutRows = /^(?:22|23|42501|44000)/

/** Which of the rows an error is about, and which columns. */
interface Fault {
  readonly place?: number | undefined
  readonly columns: readonly ColumnCodec[]
}

/** The same error, which says of which row it is: of one that was refused before it was sent. */
export function atRow (error: unknown, row: number): unknown {
  if (error instanceof DatabaseError && error.context.row === undefined) tell(error, inRow(row, error.message), { row })
  return error
}

/** The same error, which says of which row and column it is, where PostgreSQL's answer and the rows tell. */
export function explained (error: unknown, { table, rows, start }: SentRows): unknown {
  if (!(error instanceof DatabaseError) || !aboutRows.test(String(error.context.sqlState)) || error.context.row !== undefined) return error
  const sqlState = String(error.context.sqlState)
  const { place = rows.length === 1 ? 0 : undefined, columns } = faultOf(error, sqlState, { table, rows })
  const row = start === undefined || place === undefined ? undefined : start + place
  // Words that a constraint was given stay as they are.
  const isOwnWords = error.message !== (error.constructor as typeof DatabaseError).defaults.message
  const [column] = sqlState.startsWith('22') ? columns : []
  const message = column === undefined ? error.message : `Column "${column.key}": the value does not fit the type of the column`
  tell(error, isOwnWords ? error.message : inRow(row, message), {
    ...(columns.length > 0 && { columns: columns.map(({ key }) => key) }),
    ...(row !== undefined && { row })
  })
  return error
}

/** An error is told of once, by its session too: it stays the same object. */
function tell (error: DatabaseError, message: string, context: Pick<ErrorContext, 'row' | 'columns'>): void {
  Object.assign(error, { context: { ...error.context, ...context }, message })
}

function inRow (row: number | undefined, message: string): string {
  return row === undefined ? message : `rows[${row}]: ${message}`
}

function faultOf ({ context: { column }, cause }: DatabaseError, sqlState: string, { table, rows }: Pick<SentRows, 'table' | 'rows'>): Fault {
  const detail = String(Object(cause).detail)
  switch (sqlState) {
    case '23502': return missing(table.codecs.filter((codec) => table.builder.nameOf(codec.column) === column), rows)
    case '23503': return ofKey(detail, { table, rows }, ([first]) => first)
    // Of two rows with the same key the second is refused, or the first as well.
    case '23505': return ofKey(detail, { table, rows }, ([first, second]) => second ?? first)
    case '23514': return { place: onlyOne(placesOf(rows, (changes) => changes.every((change) => isIn(detail, change)))), columns: [] }
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

/** `Key (name)=(ada) already exists.`: names and values stand there in every language. */
function ofKey (detail: string, { table, rows }: Pick<SentRows, 'table' | 'rows'>, choose: (places: readonly number[]) => number | undefined): Fault {
  const [, names = '', values = ''] = /\((.*?)\)=\((.*)\)/s.exec(detail) ?? []
  const columns = names.split(', ').map((name) => table.codecs.find((codec) => table.builder.nameOf(codec.column) === name.replace(/^"|"$/g, '').replaceAll('""', '"')))
  const known = columns.filter((codec) => codec !== undefined)
  if (known.length < columns.length) return { columns: [] }
  const textIn = (changes: readonly Change[]): string => known.map((column) => textOf(changes.find(([codec]) => codec === column)?.[1])).join(', ')
  return { place: choose(placesOf(rows, (changes) => textIn(changes) === values)), columns: known }
}

/** `Failing row contains (1, ada, f).`: whether a value stands there; types whose text may be another one do not count. */
function isIn (detail: string, [{ column: { dataType } }, value]: Change): boolean {
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
