import type { Named, Snapshot } from './snapshot.js'

/** An object that gets another name, another schema, or both. */
export interface Rename {
  readonly kind: 'table' | 'enum' | 'sequence' | 'column'
  /** `schema.name`, or the name of a column. */
  readonly from: string
  readonly to: string
  /** The table of a column, by its new name. */
  readonly table?: string
}

/** The keyword after `ALTER` for each kind. */
const alterKeywords = { table: 'TABLE', enum: 'TYPE', sequence: 'SEQUENCE' } as const

/** The renames that undo the given ones, in a valid order. */
export function reverseRenames (renames: readonly Rename[]): Rename[] {
  const formerTable = (name: string) => renames.find(({ kind, to }) => kind === 'table' && to === name)?.from ?? name
  // Tables come first in both directions, because a column is named with its table's new name.
  return orderRenames(renames.map(({ kind, from, to, table }) => ({ kind, from: to, to: from, ...table !== undefined && { table: formerTable(table) } })))
}

/** Puts tables, enums and sequences before columns. */
export function orderRenames (renames: readonly Rename[]): Rename[] {
  return renames.toSorted((a, b) => Number(a.kind === 'column') - Number(b.kind === 'column'))
}

/**
 * The statements that rename an object.
 *
 * @param isTaken whether another object has a name already. An object that changes both name and schema may need an interim name in between.
 */
export function renameStatements (rename: Rename, isTaken: (key: string) => boolean = () => false): string[] {
  const { kind, from, to, table } = rename
  if (kind === 'column') return [`ALTER TABLE ${quotedKey(table!)} RENAME COLUMN "${from}" TO "${to}";`]
  const [fromSchema, fromName] = splitKey(from)
  const [toSchema, toName] = splitKey(to)
  const renameTo = (key: string, name: string) => splitKey(key)[1] === name ? [] : [`ALTER ${alterKeywords[kind]} ${quotedKey(key)} RENAME TO "${name}";`]
  const move = (name: string) => `ALTER ${alterKeywords[kind]} ${quotedKey(`${fromSchema}.${name}`)} SET SCHEMA "${toSchema}";`
  if (fromSchema === toSchema) return renameTo(from, toName)
  if (!isTaken(`${toSchema}.${fromName}`)) return [move(fromName), ...renameTo(`${toSchema}.${fromName}`, toName)]
  const between = isTaken(`${fromSchema}.${toName}`) ? interimName(toName) : toName
  return [...renameTo(from, between), move(between), ...renameTo(`${toSchema}.${between}`, toName)]
}

/** The interim name of an object while neither its old nor its new name is free. */
export function interimName (name: string): string {
  return `${Buffer.from(name).subarray(0, 54).toString()}__moving`
}

/** Returns a test of whether a name is taken. Tables, views, sequences and types share one namespace. */
export function isTakenIn ({ tables, views, sequences, enums }: Snapshot): (key: string) => boolean {
  return (key) => [tables, views, sequences, enums].some((group) => Object.hasOwn(group, key))
}

/** A snapshot after a rename, with all references to the old name changed. PostgreSQL changes them by itself. */
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
  const object = group[from]!
  delete group[from]
  // A table of `public` has the schema ''.
  group[to] = Object.assign(object, { name, schema: 'columns' in object && schema === 'public' ? '' : schema })
}

function columnsOf (snapshot: Snapshot) {
  return Object.values(snapshot.tables).flatMap((table) => Object.values(table.columns))
}

/** The key of the table to which a foreign key refers. */
export function referenced ({ tableTo, schemaTo = 'public' }: { tableTo: string, schemaTo?: string }): string {
  return `${schemaTo}.${tableTo}`
}

/** Splits a key into schema and name. */
export function splitKey (key: string): [schema: string, name: string] {
  const dot = key.indexOf('.')
  return [key.slice(0, dot), key.slice(dot + 1)]
}

/** The quoted name for a key, without `public`. drizzle-kit writes `public` for types and sequences only, where it makes no difference. */
export function quotedKey (key: string): string {
  const [schema, name] = splitKey(key)
  return schema === 'public' ? `"${name}"` : `"${schema}"."${name}"`
}
