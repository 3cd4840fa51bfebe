import type { Named, Snapshot } from './snapshot.js'

/** Something that goes on under another name, in another schema, or both. */
export interface Rename {
  readonly kind: 'table' | 'enum' | 'sequence' | 'column'
  /** `schema.name`; for a column its name. */
  readonly from: string
  readonly to: string
  /** For a column: its table, under its new name. */
  readonly table?: string
}

/** What renames a thing with a schema, in the words of `ALTER`. */
const words = { table: 'TABLE', enum: 'TYPE', sequence: 'SEQUENCE' } as const

/** The same renames taken back, in the order in which that works. */
export function reverseRenames (renames: readonly Rename[]): Rename[] {
  const formerTable = (name: string) => renames.find(({ kind, to }) => kind === 'table' && to === name)?.from ?? name
  // Tables come first in both directions, since columns are named by the table's new name.
  return orderRenames(renames.map(({ kind, from, to, table }) => ({ kind, from: to, to: from, ...table !== undefined && { table: formerTable(table) } })))
}

/** Tables, enums and sequences before columns. */
export function orderRenames (renames: readonly Rename[]): Rename[] {
  return renames.toSorted((a, b) => Number(a.kind === 'column') - Number(b.kind === 'column'))
}

/**
 * The statements that rename in a database.
 *
 * @param isTaken whether something else has a name already: what moves and gets another name has a third one between the two statements
 */
export function renameStatements (rename: Rename, isTaken: (key: string) => boolean = () => false): string[] {
  const { kind, from, to, table } = rename
  if (kind === 'column') return [`ALTER TABLE ${quotedKey(table!)} RENAME COLUMN "${from}" TO "${to}";`]
  const [fromSchema, fromName] = splitKey(from)
  const [toSchema, toName] = splitKey(to)
  const call = (key: string, name: string) => splitKey(key)[1] === name ? [] : [`ALTER ${words[kind]} ${quotedKey(key)} RENAME TO "${name}";`]
  const move = (name: string) => `ALTER ${words[kind]} ${quotedKey(`${fromSchema}.${name}`)} SET SCHEMA "${toSchema}";`
  if (fromSchema === toSchema) return call(from, toName)
  if (!isTaken(`${toSchema}.${fromName}`)) return [move(fromName), ...call(`${toSchema}.${fromName}`, toName)]
  const between = isTaken(`${fromSchema}.${toName}`) ? interimName(toName) : toName
  return [...call(from, between), move(between), ...call(`${toSchema}.${between}`, toName)]
}

/** A name for something while neither its old nor its new name is free. */
export function interimName (name: string): string {
  return `${Buffer.from(name).subarray(0, 54).toString()}__moving`
}

/** Whether anything of a snapshot has a name; tables, views, sequences and types share theirs. */
export function isTakenIn ({ tables, views, sequences, enums }: Snapshot): (key: string) => boolean {
  return (key) => [tables, views, sequences, enums].some((group) => Object.hasOwn(group, key))
}

/** A snapshot after a rename, with everything in it that goes by the old name: what PostgreSQL does by itself. */
export function applyRename (before: Snapshot, rename: Rename): Snapshot {
  const snapshot = structuredClone(before)
  if (rename.kind === 'column') renameColumn(snapshot, rename)
  if (rename.kind === 'table') renameTable(snapshot, rename)
  if (rename.kind === 'enum') renameEnum(snapshot, rename)
  if (rename.kind === 'sequence') rekey(snapshot.sequences, rename)
  return snapshot
}

function renameTable (snapshot: Snapshot, { from, to }: Rename): void {
  rekey(snapshot.tables, { from, to })
  const [schema, name] = splitKey(to)
  for (const table of Object.values(snapshot.tables)) {
    for (const foreignKey of Object.values(table.foreignKeys)) {
      foreignKey.tableFrom = table.name
      if (referenced(foreignKey) === from) Object.assign(foreignKey, { tableTo: name, schemaTo: schema })
    }
  }
}

function renameEnum (snapshot: Snapshot, { from, to }: Rename): void {
  rekey(snapshot.enums, { from, to })
  const [toSchema, toName] = splitKey(to)
  for (const column of columnsOf(snapshot)) {
    // Arrays: mood[].
    const [type = '', ...dimensions] = column.type.split(/(?=\[)/)
    if (`${column.typeSchema}.${type}` === from) Object.assign(column, { type: [toName, ...dimensions].join(''), typeSchema: toSchema })
  }
}

function renameColumn (snapshot: Snapshot, { from, to, table: key }: Rename): void {
  const table = snapshot.tables[key!]!
  const swap = (name: string) => name === from ? to : name
  table.columns = Object.fromEntries(Object.values(table.columns).map((column) => [swap(column.name), { ...column, name: swap(column.name) }]))
  for (const index of Object.values(table.indexes)) {
    index.columns = index.columns.map((part) => part.isExpression ? part : { ...part, expression: swap(part.expression) })
  }
  for (const constraint of [...Object.values(table.uniqueConstraints), ...Object.values(table.compositePrimaryKeys)]) constraint.columns = constraint.columns.map(swap)
  for (const foreignKey of Object.values(table.foreignKeys)) foreignKey.columnsFrom = foreignKey.columnsFrom.map(swap)
  for (const other of Object.values(snapshot.tables)) {
    for (const foreignKey of Object.values(other.foreignKeys)) {
      if (referenced(foreignKey) === key) foreignKey.columnsTo = foreignKey.columnsTo.map(swap)
    }
  }
}

function rekey (group: Record<string, Named>, { from, to }: { from: string, to: string }): void {
  const [schema, name] = splitKey(to)
  const thing = group[from]!
  delete group[from]
  // A table of `public` has the schema ''.
  group[to] = Object.assign(thing, { name, schema: 'columns' in thing && schema === 'public' ? '' : schema })
}

function columnsOf (snapshot: Snapshot) {
  return Object.values(snapshot.tables).flatMap((table) => Object.values(table.columns))
}

/** The key of the table to which a foreign key refers. */
export function referenced ({ tableTo, schemaTo = 'public' }: { tableTo: string, schemaTo?: string }): string {
  return `${schemaTo}.${tableTo}`
}

/** A key's schema and name. */
export function splitKey (key: string): [schema: string, name: string] {
  const dot = key.indexOf('.')
  return [key.slice(0, dot), key.slice(dot + 1)]
}

/** As drizzle-kit writes it: without `public`, except for types and sequences, where it makes no difference. */
export function quotedKey (key: string): string {
  const [schema, name] = splitKey(key)
  return schema === 'public' ? `"${name}"` : `"${schema}"."${name}"`
}
