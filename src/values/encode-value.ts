import { ValidationError } from '../errors/errors.js'
import { isSql } from './column-codec.js'
import type { ColumnCodec } from './column-codec.js'

/** NUL, which PostgreSQL cannot store in text, and lone surrogates, which pg would silently send as U+FFFD. */
// eslint-disable-next-line no-control-regex
const unstorable = /[\u0000\p{Surrogate}]/u

/** The same two as escaped by JSON.stringify, unless the backslash is itself escaped. */
const unstorableJson = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/

/** A last backslash that escapes nothing: PostgreSQL refuses such a pattern. */
const danglingEscape = /(?<!\\)(?:\\\\)*\\$/

/**
 * Encodes a value for PostgreSQL; SQL stays SQL.
 *
 * @throws ValidationError that names the column if the value does not fit its type.
 */
export function encode (codec: ColumnCodec, value: unknown): unknown {
  if (value === null || isSql(value)) return value
  if (!codec.accepts(value)) throw unfit(codec)
  const encoded = mapped(codec, value)
  if (encoded === undefined) throw unfit(codec)
  if (typeof encoded === 'string') checkText(codec, encoded)
  return encoded
}

function checkText (codec: ColumnCodec, text: string): void {
  if (unstorable.test(text) || (codec.json && unstorableJson.test(text))) {
    throw new ValidationError(`Column "${codec.key}": text may not contain NUL characters or lone surrogates`, about(codec))
  }
}

/**
 * Checks a LIKE pattern.
 *
 * @throws ValidationError if PostgreSQL would refuse it.
 */
export function encodePattern (codec: ColumnCodec, pattern: string): string {
  checkText(codec, pattern)
  if (danglingEscape.test(pattern)) {
    throw new ValidationError(`Column "${codec.key}": a pattern may not end with a single backslash: write two to search for one`, about(codec))
  }
  return pattern
}

function mapped (codec: ColumnCodec, value: unknown): unknown {
  try {
    return codec.write(value)
  } catch (cause) {
    throw unfit(codec, cause)
  }
}

function unfit (codec: ColumnCodec, cause?: unknown): ValidationError {
  return new ValidationError(`Column "${codec.key}": the value does not fit the type of the column`, { ...about(codec), cause })
}

/** The context of an error about one column. */
export function about (codec: ColumnCodec): { context: { table: string, columns: readonly string[] } } {
  return { context: { table: codec.table, columns: [codec.key] } }
}
