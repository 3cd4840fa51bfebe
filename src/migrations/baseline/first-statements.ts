import type { Catalog, CatalogTable } from './catalog.js'
import type { KeptObject, KeptPlace } from './kept-objects.js'

/**
 * The statements of the first migration: those of drizzle-kit for the tables, between those for everything that Drizzle has no words
 * for, and the foreign keys last. They make an empty database like the one that was taken over.
 */
export function firstStatements (generated: readonly string[], { tables }: Catalog, kept: readonly KeptObject[]): string[] {
  const at = (place: KeptPlace): string[] => kept.filter((object) => object.place === place).map(({ sql }) => `${sql as string};`)
  const corrections = correctionsFor(tables)
  const created = new Map(tables.map((table) => [beginning(table), table]))
  const own = generated.filter((statement) => !/^CREATE SCHEMA /.test(statement)).map((statement) => {
    const table = created.get(statement.slice(0, statement.indexOf(' (\n')))
    const text = corrected(table === undefined ? statement : withPrimaryKey(statement, table), corrections)
    return table === undefined || table.partitionKey === null ? text : `${text.replace(/;?\s*$/, '')} PARTITION BY ${table.partitionKey};`
  })
  const [keys, others] = [own.filter((statement) => isForeignKey(statement)), own.filter((statement) => !isForeignKey(statement))]
  return ['SET LOCAL check_function_bodies = off;', ...at('before'), ...others, ...at('after'), ...keys]
}

/** A foreign key may need a unique index, which drizzle-kit creates later. */
function isForeignKey (statement: string): boolean {
  return /^ALTER TABLE .* FOREIGN KEY \(/.test(statement)
}

/** Names the primary key of a column as the database does. PostgreSQL would name it after the table, which may have been renamed. */
function withPrimaryKey (statement: string, { name, keys }: CatalogTable): string {
  const key = keys.find(({ kind, columns }) => kind === 'primary' && columns.length === 1)
  if (key === undefined || key.name === `${name}_pkey`) return statement
  const column = `\t"${String(key.columns[0])}" `
  return statement.split('\n').map((line) => line.startsWith(column) ? line.replace(' PRIMARY KEY', () => ` CONSTRAINT "${key.name}" PRIMARY KEY`) : line).join('\n')
}

function beginning ({ schema, name }: CatalogTable): string {
  return `CREATE TABLE ${schema === 'public' ? '' : `"${schema}".`}"${name}"`
}

/** What drizzle-kit writes wrongly, and what is meant: it doubles no quote in a name, and takes each type that it does not know for one word. */
function correctionsFor (tables: Catalog['tables']): ReadonlyMap<string, string> {
  const names = tables.flatMap(({ name, columns, keys }) => [name, ...columns.map((column) => column.name), ...keys.map((key) => key.name)])
  const types = tables.flatMap(({ columns }) => columns.map(({ type }) => type))
  return new Map([
    ...names.filter((name) => name.includes('"')).map((name) => [`"${name}"`, `"${name.replaceAll('"', '""')}"`] as const),
    ...types.filter((type) => /[.(" ]/.test(type)).map((type) => [`"${type}"`, type] as const)
  ])
}

function corrected (statement: string, corrections: ReadonlyMap<string, string>): string {
  return [...corrections].reduce((text, [wrong, right]) => text.replaceAll(wrong, () => right), statement)
}
