/** Names, types and texts as SQL writes them. */
import { literally } from '../../../runtime/expressions.js'
import type { Column, Named } from './snapshot.js'

/** A name in double quotes. */
export function quotedIdentifier (name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A text in single quotes. */
export function quotedText (value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}

/** The quoted name of a table, type or sequence with its schema, but without `public`, as drizzle-kit writes it. */
export function quotedName ({ schema = '', name }: Named): string {
  return schema === '' || schema === 'public' ? quotedIdentifier(name) : `${quotedIdentifier(schema)}.${quotedIdentifier(name)}`
}

/** Whether an expression contains a name. Any equal word counts. */
export function mentions (expression: string | undefined, name: string): boolean {
  if (expression === undefined) return false
  return new RegExp(`(?<![\\w$\\u0080-\\uffff])${literally(name.replaceAll('"', '""'))}(?![\\w$\\u0080-\\uffff])`, 'i').test(expression)
}

const serials: Record<string, string> = { smallserial: 'smallint', serial: 'integer', bigserial: 'bigint' }

/** The type of a column in PostgreSQL's catalogue: `serial` is an integer with a sequence. */
export function catalogueType ({ type }: Column): string {
  return serials[type] ?? type
}

/** The kind of a column's own sequence; `undefined` if it has none. */
export function sequenceKindOf ({ type, identity }: Column): 'serial' | 'identity' | undefined {
  if (identity !== undefined) return 'identity'
  return serials[type] === undefined ? undefined : 'serial'
}

/** The type of a column, as a statement writes it. */
export function typeText (column: Column): string {
  if (column.typeSchema === undefined) return catalogueType(column)
  const [name = '', ...dimensions] = column.type.split(/(?=\[)/)
  return `${quotedName({ name, schema: column.typeSchema })}${dimensions.join('')}`
}

/** The key of a column's enum, also for arrays of it. */
export function enumOf ({ type, typeSchema = 'public' }: Column): string {
  return `${typeSchema}.${type.replace(/\[.*/, '')}`
}
