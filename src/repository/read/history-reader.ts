import { rowReader } from '../../values/column-codec.js'
import { readerOf } from '../../values/driver-values.js'
import type { RowReader } from '../../statement/statement.js'
import type { ColumnCodec } from '../../values/column-codec.js'
import type { TextReader } from '../../values/driver-values.js'

/** A column of the audited table, and its name in the database. */
export interface AuditedColumn {
  readonly codec: ColumnCodec
  readonly name: string
}

/**
 * A reader for entries of a history: these columns of it, then `before` and `after`, then one value of each column of the audited
 * table, which only tells its type. Columns that the table of Drizzle does not declare are left out.
 */
export function historyReader (own: readonly ColumnCodec[], audited: readonly AuditedColumn[]): RowReader {
  const reader = rowReader(own)
  const keys = new Map(audited.map(({ codec, name }) => [name, codec.key]))
  return (fields) => {
    const parse = reader(fields)
    const readers: ColumnReader[] = audited.map(({ codec, name }, place) => ({
      name, key: codec.key, read: readerOf(codec.column, Number(fields[own.length + 2 + place]?.dataTypeID))
    }))
    const valuesOf = (text: string | null): Record<string, unknown> | null => text === null ? null : readValues(JSON.parse(text) as Texts, readers)
    return (texts) => {
      const { changed, ...entry } = parse(texts) as { readonly changed: readonly string[] }
      return {
        ...entry,
        changed: changed.map((name) => keys.get(name)).filter((key) => key !== undefined),
        before: valuesOf(texts[own.length] as string | null),
        after: valuesOf(texts[own.length + 1] as string | null)
      }
    }
  }
}

/** PostgreSQL's texts by the names of columns. */
type Texts = Readonly<Record<string, string | null>>

interface ColumnReader {
  readonly name: string
  readonly key: string
  readonly read: TextReader
}

function readValues (texts: Texts, readers: readonly ColumnReader[]): Record<string, unknown> {
  const known = readers.filter(({ name }) => Object.hasOwn(texts, name))
  return Object.fromEntries(known.map(({ name, key, read }) => [key, valueOf(texts[name] as string | null, read)]))
}

/** The value of a text, or the text itself if the column has another type now, which cannot read it. */
function valueOf (text: string | null, read: TextReader): unknown {
  if (text === null || read === undefined) return text
  try {
    return read(text)
  } catch {
    return text
  }
}
