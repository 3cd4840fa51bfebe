import type { Decide } from './decide-renames.js'

const name = '(?:"[^"]+"|\\w+)'
const qualifiedName = `(${name}(?:\\.${name})?)`
const statements = new RegExp(
  `\\bALTER\\s+(TABLE|TYPE|SEQUENCE)\\s+(?:IF\\s+EXISTS\\s+)?(?:ONLY\\s+)?${qualifiedName}\\s+(?:RENAME\\s+TO\\s+(${name})|SET\\s+SCHEMA\\s+(${name})|RENAME\\s+(?:COLUMN\\s+)?(${name})\\s+TO\\s+(${name}))`, 'gi'
)
const kinds: Record<string, string> = { TABLE: 'table', TYPE: 'enum', SEQUENCE: 'sequence' }

/** Decides by the RENAME statements of a migration's SQL. Any other new object was not renamed. */
export function decideBySql (sql: string): Decide {
  // The name of each object before the file, by its name at the end of the file.
  const former = new Map<string, string>()
  const formerName = (key: string) => former.get(key) ?? key
  for (const [, what = '', written = '', newName, newSchema, column, newColumn] of sql.matchAll(statements)) {
    const kind = kinds[what.toUpperCase()]!
    const parts = [...written.matchAll(new RegExp(name, 'g'))].map(([part]) => bare(part))
    const [schema, object] = [parts.at(-2) ?? 'public', parts.at(-1)!]
    const from = `${kind} ${label(schema, object)}`
    if (column !== undefined && newColumn !== undefined) former.set(columnKey(formerName(from), bare(newColumn)), formerName(columnKey(formerName(from), bare(column))))
    else former.set(`${kind} ${newName === undefined ? label(bare(newSchema!), object) : label(schema, bare(newName))}`, formerName(from))
  }
  return async ({ kind, added, gone }) => {
    if (kind !== 'column') return gone.find((candidate) => formerName(`${kind} ${added}`) === `${kind} ${candidate}`)
    // A question about a column has the new name of its table.
    const [table, column] = splitColumn(added)
    const origin = former.get(columnKey(formerName(`table ${table}`), column))
    return gone.find((candidate) => origin === columnKey(formerName(`table ${table}`), splitColumn(candidate)[1]))
  }
}

function columnKey (table: string, column: string): string {
  return `column of ${table}: ${column}`
}

function splitColumn (text: string): [table: string, column: string] {
  const dot = text.lastIndexOf('.')
  return [text.slice(0, dot), text.slice(dot + 1)]
}

function label (schema: string, object: string): string {
  return schema === 'public' ? object : `${schema}.${object}`
}

function bare (part: string): string {
  return part.startsWith('"') ? part.slice(1, -1) : part.toLowerCase()
}
