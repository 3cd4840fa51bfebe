import { UsageError, ValidationError } from '../../errors/errors.js'
import type { ColumnCodec } from '../../values/column-codec.js'

/** The column of a key. If there is none, throws a ValidationError, or the given error if only the program can have named the key. */
export function findColumn (key: string, columns: Columns, Refusal: typeof ValidationError | typeof UsageError = ValidationError): ColumnCodec {
  const codec = columns.get(key)
  if (codec === undefined) {
    throw new Refusal(`Unknown column "${key.slice(0, 63)}"`, { context: { columns: [key.slice(0, 63)] } })
  }
  return codec
}

export type Columns = ReadonlyMap<string, ColumnCodec>
