/** A part of a JSON schema. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** How values of one type stand in a query string. */
export interface QueryType {
  /** What a validator lets through, and OpenAPI shows. */
  readonly schema: JsonSchema
  /** The value of a column, from a text or from what a validator made of it; undefined where it is none. */
  readonly read: (given: unknown) => unknown
}

/** Texts of one form. */
export function textType (form: string, schema: JsonSchema = {}): QueryType {
  const pattern = new RegExp(`^${form}$`)
  return {
    schema: { type: 'string', pattern: pattern.source, ...schema },
    read: (given) => typeof given === 'string' && pattern.test(given) ? given : undefined
  }
}
