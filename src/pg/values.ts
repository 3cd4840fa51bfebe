import pg from 'pg'
import type { ClientBase, CustomTypesConfig } from 'pg'

/** How a value is written as text for PostgreSQL; a Buffer is sent as it is. pg's types do not tell of it. @throws what a `toPostgres()` of the value's own throws */
export const prepareValue = (pg as unknown as { utils: { prepareValue (value: unknown): string | Buffer | null } }).utils.prepareValue

/** Finds the parser for a type, as pg's clients and `types` options do. */
export interface TypeParsers {
  getTypeParser (oid: number, format: 'text'): (text: string) => unknown
}

/** The parsers of a `types` option, whose own type has an overload for each format. */
export function parsersOf (types: CustomTypesConfig): TypeParsers {
  return types as TypeParsers
}

/** A client's parsers, which its types do not tell of. */
export function parsersOfClient (client: ClientBase): TypeParsers {
  return client as unknown as TypeParsers
}

/** A `types` option that leaves every value the text it is. */
export const asText = { getTypeParser: () => (text: string) => text } as unknown as CustomTypesConfig
