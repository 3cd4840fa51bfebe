/** A part of a JSON schema. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** The values of one type in a query string. */
export interface QueryType {
  /** The schema for validators and OpenAPI. */
  readonly schema: JsonSchema
  /** The value of a column, from a text or from a validator's result; undefined if it is invalid. */
  readonly read: (given: unknown) => unknown
}

/** Texts with one pattern. */
export function textType (form: string, schema: JsonSchema = {}): QueryType {
  const pattern = new RegExp(`^${form}$`)
  return {
    schema: { type: 'string', pattern: pattern.source, ...schema },
    read: (given) => typeof given === 'string' && pattern.test(given) ? given : undefined
  }
}
