/**
 * Reads rows as pg's own queries do: as objects by column name, or as arrays, each value by the parser of its type.
 * Repositories have their own readers.
 */
import { parsersOf } from '../../pg/values.js'
import type { Field } from '../../pg/client.js'
import type { TypeParsers } from '../../pg/values.js'
import type { RowParser, Statement } from '../../statement/statement.js'

/** Makes the parser for rows with these columns. */
export function textReader ({ rowMode, types }: Statement, fields: readonly Field[], fallback: TypeParsers): RowParser {
  const found = types === undefined ? fallback : parsersOf(types)
  const parsers = fields.map(({ dataTypeID }) => found.getTypeParser(dataTypeID, 'text'))
  const read = (texts: ReadonlyArray<string | null>, index: number): unknown => {
    const text = texts[index] as string | null
    return text === null ? null : parsers[index]?.(text)
  }
  if (rowMode === 'array') return (texts) => texts.map((_, index) => read(texts, index))
  // Assigning a column of this name would set the row's prototype; `fromEntries` makes it an ordinary key, and is slower.
  if (fields.some(({ name }) => name === '__proto__')) return (texts) => Object.fromEntries(fields.map(({ name }, index) => [name, read(texts, index)]))
  return (texts) => {
    const row: Record<string, unknown> = {}
    for (const [index, { name }] of fields.entries()) row[name] = read(texts, index)
    return row
  }
}
