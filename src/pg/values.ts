import pg from 'pg'
import type { ClientBase, CustomTypesConfig } from 'pg'

/** Writes a value as text for PostgreSQL; a Buffer stays as it is. pg's types lack it. @throws the error of the value's `toPostgres()` */
export const prepareValue = (pg as unknown as { utils: { prepareValue (value: unknown): string | Buffer | null } }).utils.prepareValue

/** Finds the parser of a type, like pg's clients and `types` options. */
export interface TypeParsers {
  getTypeParser (oid: number, format: 'text'): (text: string) => unknown
}

/** The parsers of a `types` option, whose declared type has an overload for each format. */
export function parsersOf (types: CustomTypesConfig): TypeParsers {
  return types as TypeParsers
}

/** A client's parsers, which its types lack. */
export function parsersOfClient (client: ClientBase): TypeParsers {
  return client as unknown as TypeParsers
}

/** A `types` option that leaves every value as text. */
export const asText = { getTypeParser: () => (text: string) => text } as unknown as CustomTypesConfig
