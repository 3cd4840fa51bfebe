/** Names, texts and expressions as SQL has them. */
import type { Column, Named } from './snapshot.js'

/** A name in quotes. */
export function quotedIdentifier (name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A text in quotes. */
export function quotedText (value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}

/** A table, type or sequence as drizzle-kit writes it: without `public`. */
export function quotedName ({ schema = '', name }: Named): string {
  return schema === '' || schema === 'public' ? quotedIdentifier(name) : `${quotedIdentifier(schema)}.${quotedIdentifier(name)}`
}

/** Whether an expression has a name in it; a word that happens to be the same counts, too. */
export function mentions (expression: string | undefined, name: string): boolean {
  if (expression === undefined) return false
  const literally = name.replaceAll('"', '""').replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`(?<![\\w$\\u0080-\\uffff])${literally}(?![\\w$\\u0080-\\uffff])`, 'i').test(expression)
}

const serials: Record<string, string> = { smallserial: 'smallint', serial: 'integer', bigserial: 'bigint' }

/** The type that a column has in the catalogue: `serial` is an integer with a sequence. */
export function catalogueType ({ type }: Column): string {
  return serials[type] ?? type
}

/** Whether a column counts by a sequence that belongs to it, and how it came to it. */
export function sequenceKindOf ({ type, identity }: Column): 'serial' | 'identity' | undefined {
  if (identity !== undefined) return 'identity'
  return serials[type] === undefined ? undefined : 'serial'
}

/** A column's type, as a statement names it. */
export function typeText (column: Column): string {
  if (column.typeSchema === undefined) return catalogueType(column)
  const [name = '', ...dimensions] = column.type.split(/(?=\[)/)
  return `${quotedName({ name, schema: column.typeSchema })}${dimensions.join('')}`
}

/** The key of the enum that a column holds, arrays of it included. */
export function enumOf ({ type, typeSchema = 'public' }: Column): string {
  return `${typeSchema}.${type.replace(/\[.*/, '')}`
}
