import { escapeIdentifier } from 'pg'

/** A name as SQL: without the schema `public`, and with quotes only where PostgreSQL needs them. Two spellings of one name give one text. */
export function fullName (parts: readonly string[]): string {
  const named = parts.length > 1 && parts[0] === 'public' ? parts.slice(1) : parts
  return named.map((part) => /^[a-z_][a-z0-9_$]*$/.test(part) ? part : escapeIdentifier(part)).join('.')
}

/** The last part of a full name. */
export function bareName (name: string): string {
  return name.replace(/^(?:"(?:[^"]|"")*"|[^".])*\./, '')
}

/** The last part of a full name, without quotes, as PostgreSQL begins the names of constraints with it. */
export function plainName (name: string): string {
  return bareName(name).replaceAll('"', '')
}

/** The full name of something with this name in the schema of a table: an index is in that of its table. */
export function inSchemaOf (table: string, name: string): string {
  return `${table.slice(0, -bareName(table).length)}${fullName([name])}`
}

/** The full name of a table that moves to a schema. */
export function movedTo (schema: string, table: string): string {
  return schema === 'public' ? bareName(table) : `${fullName([schema])}.${bareName(table)}`
}

/** A full name with quotes around each part, so that no part is read as a keyword. */
export function quoted (name: string): string {
  return name.replace(/"(?:[^"]|"")*"|[^.]+/g, (part) => part.startsWith('"') ? part : escapeIdentifier(part))
}
