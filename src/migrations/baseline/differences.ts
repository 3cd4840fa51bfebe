import type { Snapshot } from '../generate/snapshots/snapshot.js'
import type { Catalog } from './catalog.js'

/** What the tables of a schema file and those of the database do not have in common, as sentences. */
export function differencesOf (snapshot: Snapshot, { tables }: Catalog): string[] {
  const declared = new Map(Object.values(snapshot.tables).map((table) => [`${table.schema || 'public'}.${table.name}`, table]))
  const existing = new Map(tables.filter(({ kind }) => kind === 'table').map((table) => [`${table.schema}.${table.name}`, table]))
  const missing = [...declared.keys()].filter((name) => !existing.has(name)).map((name) => `${name} is in the schema file, but not in the database`)
  return [...missing, ...[...existing].flatMap(([name, table]) => {
    const columns = declared.get(name)?.columns
    if (columns === undefined) return [`${name} is in the database, but not in the schema file`]
    const own = new Map(Object.values(columns).map((column) => [column.name, column]))
    const found = new Set(table.columns.map((column) => column.name))
    return [
      ...[...own.keys()].filter((column) => !found.has(column)).map((column) => `${name}.${column} is in the schema file, but not in the database`),
      ...table.columns.flatMap((column) => {
        const declaration = own.get(column.name)
        if (declaration === undefined) return [`${name}.${column.name} is in the database, but not in the schema file`]
        const isRequired = declaration.notNull || declaration.primaryKey
        if (isRequired && !column.isRequired) return [`${name}.${column.name} can be null in the database, but not in the schema file`]
        const mayBeNull = !isRequired && declaration.identity === undefined && !isPart(table.keys, column.name)
        return mayBeNull && column.isRequired ? [`${name}.${column.name} cannot be null in the database, but can be in the schema file`] : []
      })
    ]
  })]
}

function isPart (keys: Catalog['tables'][number]['keys'], column: string): boolean {
  return keys.some(({ kind, columns }) => kind === 'primary' && columns.includes(column))
}
