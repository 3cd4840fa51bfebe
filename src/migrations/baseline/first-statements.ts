import type { Catalog } from './catalog.js'
import type { KeptObject, KeptPlace } from './kept-objects.js'

/**
 * The statements of the first migration: those of drizzle-kit for the tables, between those for everything that Drizzle has no words
 * for. They make an empty database like the one that was taken over.
 */
export function firstStatements (generated: readonly string[], { tables }: Catalog, kept: ReadonlyArray<KeptObject & { readonly place: KeptPlace }>): string[] {
  const at = (place: KeptPlace): string[] => kept.filter((object) => object.place === place).map(({ sql }) => `${sql as string};`)
  const corrections = correctionsFor(tables)
  const partitioned = new Map(tables.flatMap(({ schema, name, partitionKey }) => partitionKey === null ? [] : [[beginning(schema, name), partitionKey] as const]))
  const own = generated.filter((statement) => !/^CREATE SCHEMA /.test(statement)).map((statement) => {
    const partitionKey = partitioned.get(statement.slice(0, statement.indexOf(' (\n')))
    return corrected(partitionKey === undefined ? statement : statement.replace(/;?\s*$/, ` PARTITION BY ${partitionKey};`), corrections)
  })
  return ['SET LOCAL check_function_bodies = off;', ...at('before'), ...own, ...at('after')]
}

function beginning (schema: string, name: string): string {
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
  return [...corrections].reduce((text, [wrong, right]) => text.replaceAll(wrong, right), statement)
}
