import { sqlStates } from './sqlstate-codes.js'
import type { PostgresError } from './redact.js'

/** A name in a statement that the database does not have. */
export interface MissingName {
  readonly kind: 'column' | 'table'
  readonly name: string
  /** What PostgreSQL proposes instead, in the server's language; it names columns only. */
  readonly hint: string | undefined
}

const kinds: ReadonlyMap<string, MissingName['kind']> = new Map([[sqlStates.undefinedColumn, 'column'], [sqlStates.undefinedTable, 'table']])

/** A quoted name, with the names before it: `"schema"."table"."column"`. */
const quotedName = /^(?:"(?:[^"]|"")+"\.)*"(?<name>(?:[^"]|"")+)"/

/** The quoted name at which PostgreSQL's error points in its statement, if the database has no such column or table. */
export function missingName ({ code, position, hint }: PostgresError, text: string): MissingName | undefined {
  const kind = kinds.get(code)
  if (kind === undefined || position === undefined) return undefined
  // PostgreSQL counts characters from 1, JavaScript UTF-16 units from 0.
  const name = quotedName.exec(Array.from(text).slice(Number(position) - 1).join(''))?.groups?.['name']
  return name === undefined ? undefined : { kind, name: name.replaceAll('""', '"'), hint }
}
