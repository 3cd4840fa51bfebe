/** Reads the JSON of related rows: each value is the text of its column, of the type that PostgreSQL has told. */
import { getTableName } from 'drizzle-orm'
import { expressionReader, readerOf } from '../../values/driver-values.js'
import { isColumn } from '../../values/column-codec.js'
import { unreadableColumn } from '../../values/unreadable-text.js'
import type { RelatedSql } from './related-sql.js'

/** Makes what is related to a row of JSON that was parsed. */
export type RelatedReader = (found: unknown) => unknown

/** A row in JSON: the texts of its values, and what is related to it. */
type JsonRow = readonly [texts: ReadonlyArray<string | null>, ...found: unknown[]]

/** A reader for the rows of a relation, which takes the types of their values from the front of a list, and then those of the relations in it. */
export function relatedReader ({ part, values, inner }: RelatedSql, types: number[]): RelatedReader {
  const table = getTableName(part.table)
  const readers = values.map(([key, source]) => {
    const type = types.shift() as number // there is one for each value
    return { key, read: isColumn(source) ? readerOf(source, type) : expressionReader(source, type) }
  })
  const deeper = inner.map((related) => ({ name: related.part.name, read: relatedReader(related, types) }))
  const rowOf = ([texts, ...found]: JsonRow): Record<string, unknown> => {
    const row: Record<string, unknown> = {}
    let place = 0
    try {
      for (const { key, read } of readers) {
        const text = texts[place++] as string | null // as many as there are readers
        row[key] = text === null || read === undefined ? text : read(text)
      }
    } catch (error) {
      throw unreadableColumn({ key: readers[place - 1]?.key as string, table }, error)
    }
    for (let place = 0; place < deeper.length; place++) {
      const { name, read } = deeper[place] as typeof deeper[number]
      row[name] = read(found[place])
    }
    return row
  }
  if (part.isMany) return (found) => (found as JsonRow[]).map(rowOf)
  return (found) => found === null ? null : rowOf(found as JsonRow)
}
