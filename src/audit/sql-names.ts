import { escapeIdentifier } from 'pg'

/** A name in the database; without a schema PostgreSQL looks for it in the search path. */
export interface SqlName {
  readonly schema: string | undefined
  readonly name: string
}

/** The names of an audited table and of its history, which identify the statements of an audit. */
export interface AuditIdentity {
  readonly table: SqlName
  readonly history: SqlName
}

/** A name with its schema, if it has one. */
export function qualified ({ schema, name }: SqlName): string {
  return schema === undefined ? escapeIdentifier(name) : `${escapeIdentifier(schema)}.${escapeIdentifier(name)}`
}

/** A text in single quotes. */
export function literal (text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** An array of texts. */
export function textArray (texts: readonly string[]): string {
  return `array[${texts.map(literal).join(', ')}]::text[]`
}

/** A text between dollar quotes that it does not contain. */
export function dollarQuoted (text: string): string {
  let tag = '$audit$'
  for (let more = 1; text.includes(tag); more++) tag = `$audit${more}$`
  return `${tag}${text}${tag}`
}
