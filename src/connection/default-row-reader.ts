/**
 * How rows are read that no repository has asked for: as objects by the names of their columns, or as arrays, each value by the
 * parser of its type. What pg's own queries do.
 */
import { parsersOf } from '../pg/values.js'
import type { Field } from '../pg/client.js'
import type { TypeParsers } from '../pg/values.js'
import type { RowParser, Statement } from '../statement/statement.js'

/** Reads the rows of an answer with these columns. */
export function textReader ({ rowMode, types }: Statement, fields: readonly Field[], fallback: TypeParsers): RowParser {
  const found = types === undefined ? fallback : parsersOf(types)
  const parsers = fields.map(({ dataTypeID }) => found.getTypeParser(dataTypeID, 'text'))
  const read = (texts: ReadonlyArray<string | null>, place: number): unknown => {
    const text = texts[place] as string | null
    return text === null ? null : parsers[place]?.(text)
  }
  if (rowMode === 'array') return (texts) => texts.map((_, place) => read(texts, place))
  // A column of this name, assigned, would be what the row inherits from: entries make it a key as any other, in more time.
  if (fields.some(({ name }) => name === '__proto__')) return (texts) => Object.fromEntries(fields.map(({ name }, place) => [name, read(texts, place)]))
  return (texts) => {
    const row: Record<string, unknown> = {}
    for (const [place, { name }] of fields.entries()) row[name] = read(texts, place)
    return row
  }
}
