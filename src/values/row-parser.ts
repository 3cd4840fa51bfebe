/**
 * Makes rows of the texts of their columns.
 *
 * A shape that is read often gets a program of its own, which builds the object in one step and looks nothing up. Fastify does the same
 * for replies. Compiling it takes as long as reading some hundred rows, so a shape that is read once has none. Where code may not be made
 * from text (`--disallow-code-generation-from-strings`), the loop stays.
 */
import { readerOf } from './driver-values.js'
import { unreadableColumn } from './unreadable-text.js'
import type { PgColumn } from 'drizzle-orm/pg-core'
import type { RowParser } from '../statement/statement.js'

/** A column of a row. */
export interface RowColumn {
  /** The property of the row. */
  readonly key: string
  /** The table's name, for the context of errors. */
  readonly table: string
  readonly column: PgColumn
}

type Reader = ReturnType<typeof readerOf>

/** How many rows the loop reads before a program is made. */
const rowsByLoop = 200

/** A parser for rows of these columns, in this order, of the types that PostgreSQL reports. */
export function rowParser (columns: readonly RowColumn[], fields: ReadonlyArray<{ readonly dataTypeID: number }>): RowParser {
  const readers = columns.map(({ column }, place) => readerOf(column, Number(fields[place]?.dataTypeID)))
  return warmedUp(loopParser(columns, readers), () => program(columns, readers))
}

/** A parser that is a loop at first, and then a program, where one can be made. */
export function warmedUp (loop: RowParser, makeProgram: () => RowParser | undefined): RowParser {
  let left = rowsByLoop
  let parse: RowParser = (texts) => {
    if (--left === 0) parse = makeProgram() ?? loop
    return loop(texts)
  }
  return (texts) => parse(texts)
}

function loopParser (columns: readonly RowColumn[], readers: readonly Reader[]): RowParser {
  const keys = columns.map(({ key }) => key)
  return (texts) => {
    const row: Record<string, unknown> = {}
    let place = 0
    try {
      for (; place < keys.length; place++) {
        const text = texts[place] as string | null
        const read = readers[place]
        row[keys[place] as string] = text === null || read === undefined ? text : read(text)
      }
    } catch (error) {
      throw unreadableColumn(columns[place] as RowColumn, error)
    }
    return row
  }
}

/** The same as code for these columns; undefined where code may not be made from text. The names of columns are those of the program's own tables. */
function program (columns: readonly RowColumn[], readers: readonly Reader[]): RowParser | undefined {
  const values = columns.map((_column, place) => readers[place] === undefined
    ? `const value${place} = texts[${place}]`
    : `place = ${place}; const text${place} = texts[${place}], value${place} = text${place} === null ? null : read${place}(text${place})`)
  const properties = columns.map(({ key }, place) => `${JSON.stringify(key)}: value${place}`)
  const source = `
    const [${readers.map((_reader, place) => `read${place}`).join()}] = readers
    return (texts) => {
      let place = 0
      try {
        ${values.join('\n')}
        return { ${properties.join()} }
      } catch (error) {
        throw failure(place, error)
      }
    }`
  return compile('readers', source)?.(readers, (place, error) => unreadableColumn(columns[place] as RowColumn, error))
}

/** Makes the parser of a program from what it uses, and from what makes the error of the column at a place. */
type MakeParser<Used> = (used: Used, failure: (place: number, error: unknown) => Error) => RowParser

/** Compiles the source of a program, whose parameters are these two; undefined where code may not be made from text. */
export function compile<Used> (used: string, source: string): MakeParser<Used> | undefined {
  try {
    return new Function(used, 'failure', source) as MakeParser<Used> // eslint-disable-line no-new-func -- numbers, and names as JSON
  } catch {
    return undefined
  }
}
