import { unreadableColumn } from '../unreadable-text.js'
import { compile, warmedUp } from '../row-parser.js'
import { nullText } from './json-form.js'
import { jsonWriter } from './json-writer.js'
import type { RowParser } from '../../statement/statement.js'
import type { RowColumn } from '../row-parser.js'
import type { JsonForm } from './json-form.js'
import type { JsonWriter } from './json-writer.js'

/** A column of a row, and the form of its JSON. */
export interface JsonColumn extends RowColumn {
  readonly form: JsonForm
}

/** A column on its way into the JSON. */
interface Part {
  /** What stands before its value: its name, behind a brace or a comma. */
  readonly lead: string
  readonly write: JsonWriter
  /** The JSON of NULL. */
  readonly none: string
}

/**
 * A parser that makes of each row its JSON, without values in between; of these columns, in this order, of the types that PostgreSQL
 * reports. Otherwise it is as the parser of rows, {@link rowParser}.
 */
export function jsonParser (columns: readonly JsonColumn[], fields: ReadonlyArray<{ readonly dataTypeID: number }>): RowParser {
  const parts = columns.map(({ key, column, form }, place): Part => ({
    lead: `${place === 0 ? '{' : ','}${JSON.stringify(key)}:`,
    write: jsonWriter(column, Number(fields[place]?.dataTypeID), form),
    none: nullText(form)
  }))
  const failure = (place: number, error: unknown): Error => unreadableColumn(columns[place] as JsonColumn, error)
  return warmedUp(loopParser(parts, failure), () => program(parts)?.(parts.map(({ write }) => write), failure))
}

function loopParser (parts: readonly Part[], failure: (place: number, error: unknown) => Error): RowParser {
  return (texts) => {
    let json = ''
    let place = 0
    try {
      for (const { lead, write, none } of parts) {
        const text = texts[place] as string | null
        json += lead + (text === null ? none : write === undefined ? text : write(text))
        place++
      }
    } catch (error) {
      throw failure(place, error)
    }
    return `${json}}`
  }
}

/** The same as code for these columns. */
function program (parts: readonly Part[]): ReturnType<typeof compile<readonly JsonWriter[]>> {
  const pieces = parts.map(({ lead, write, none }, place) => {
    const text = write === undefined ? `text${place}` : `(place = ${place}, write${place}(text${place}))`
    return `${JSON.stringify(lead)} + (text${place} === null ? ${JSON.stringify(none)} : ${text})`
  })
  return compile('writers', `
    const [${parts.map((_part, place) => `write${place}`).join()}] = writers
    return (texts) => {
      const ${parts.map((_part, place) => `text${place} = texts[${place}]`).join()}
      let place = 0
      try {
        return ${pieces.join(' + ')} + '}'
      } catch (error) {
        throw failure(place, error)
      }
    }`)
}
