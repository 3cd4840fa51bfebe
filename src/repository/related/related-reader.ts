/** Reads the JSON of related rows: each value is the text of its column, with the type that PostgreSQL reports. */
import { getTableName } from 'drizzle-orm'
import { expressionReader, readerOf } from '../../values/driver-values.js'
import { isColumn } from '../../values/column-codec.js'
import { unreadableColumn } from '../../values/unreadable-text.js'
import type { RelatedSql } from './related-sql.js'

/** Makes the related rows of a row from parsed JSON. */
export type RelatedReader = (found: unknown) => unknown

/** A row in JSON: the texts of its values, and its related rows. */
type JsonRow = readonly [texts: ReadonlyArray<string | null>, ...found: unknown[]]

/** A reader for the rows of a relation. It takes the types of its values, then those of its nested relations, from the front of the list. */
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
  if (part.relation.isMany) return (found) => (found as JsonRow[]).map(rowOf)
  return (found) => found === null ? null : rowOf(found as JsonRow)
}
