import { escapeIdentifier } from 'pg'
import { scanSql } from './sql-scanner.js'
import type { MigrationText } from './directives.js'

/** drizzle-kit writes the default schema in foreign keys, enums and sequences, always in quotes. */
const defaultSchema = /"public"\s*\./g

/** The text of a file for one schema: the `"public".` of drizzle-kit means that schema. An unquoted `public.` stays, for objects that all schemas share. */
export function textIn (text: MigrationText, schema: string): MigrationText {
  const statements = text.statements.map((statement) => statement.replace(defaultSchema, () => `${escapeIdentifier(schema)}.`))
  return { ...text, statements, scanned: statements.map((statement) => scanSql(statement).statements) }
}
