import { KnownTable } from './known-table.js'
import { inSchemaOf, movedTo, plainName } from './statements/full-name.js'
import type { Change } from './statements/change.js'
import type { TableAction } from './statements/table-action.js'
import type { TableConstraint } from './statements/table-constraint.js'

/** An index that a file creates. */
export interface KnownIndex {
  readonly table: string
  readonly columns: readonly string[]
}

/** The tables and indexes of a database, as far as the files up to a statement tell. */
export class KnownTables {
  readonly #tables = new Map<string, KnownTable>()
  readonly #indexes = new Map<string, KnownIndex>()

  /** A table; one that no file creates is noted as not new. */
  table (name: string): KnownTable {
    const table = this.#tables.get(name) ?? new KnownTable({ isNew: false, isPartitioned: false })
    this.#tables.set(name, table)
    return table
  }

  index (name: string): KnownIndex | undefined {
    return this.#indexes.get(name)
  }

  /** The index of a constraint of a table. */
  indexOf (table: string, index: string): KnownIndex | undefined {
    return this.index(inSchemaOf(table, index))
  }

  /** Whether an index has a column of a table. */
  isIndexed (table: string, column: string): boolean {
    return [...this.#indexes.values()].some((index) => index.table === table && index.columns.includes(column))
  }

  /** Notes that what was created is in use from now on. */
  settle (): void {
    for (const table of this.#tables.values()) table.isNew = false
  }

  /** Notes what a statement has changed. */
  apply (change: Change): void {
    if (change.kind === 'createTable') this.#create(change)
    if (change.kind === 'alterTable') this.#alter(change)
    if (change.kind === 'createIndex' && change.index !== '') this.#indexes.set(change.index, { table: change.table, columns: change.columns })
    if (change.kind === 'dropIndex') for (const index of change.indexes) this.#indexes.delete(index)
    if (change.kind === 'renameIndex') this.#renameIndex(change.from, inSchemaOf(change.from, change.to))
    if (change.kind === 'dropTable') for (const table of change.tables) this.#drop(table)
  }

  #create ({ table: name, columns, constraints, isPartitioned }: Change & { kind: 'createTable' }): void {
    const table = new KnownTable({ isNew: true, isPartitioned })
    this.#tables.set(name, table)
    for (const column of columns) table.addColumn(column)
    for (const constraint of [...columns.flatMap((column) => column.constraints), ...constraints]) this.#addIndex(name, constraint)
    for (const constraint of constraints) table.addConstraint(named(name, constraint, table))
  }

  #alter ({ table, actions }: Change & { kind: 'alterTable' }): void {
    for (const { action } of actions) this.#act(table, action)
  }

  #act (name: string, action: TableAction): void {
    const table = this.table(name)
    switch (action.kind) {
      case 'addColumn':
        table.addColumn(action.column)
        for (const constraint of action.column.constraints) this.#addIndex(name, constraint)
        break
      case 'dropColumn': return table.dropColumn(action.name)
      case 'addConstraint':
        table.addConstraint(named(name, action.constraint, table))
        this.#addIndex(name, action.constraint)
        break
      case 'validateConstraint': return table.validate(action.name)
      case 'dropConstraint':
        this.#indexes.delete(inSchemaOf(name, action.name))
        return table.dropConstraint(action.name)
      case 'setNotNull': return table.change(action.column, { isNotNull: true })
      case 'dropNotNull': return table.change(action.column, { isNotNull: false })
      case 'setType': return table.change(action.column, { type: action.type })
      case 'renameColumn': return this.#renameColumn(name, action)
      case 'renameConstraint': return table.renameConstraint(action.from, action.to)
      case 'renameTable': return this.#rename(name, inSchemaOf(name, action.to))
      case 'moveTable': return this.#rename(name, movedTo(action.to, name))
    }
  }

  #addIndex (table: string, constraint: TableConstraint): void {
    const { kind, columns, index } = constraint
    if (kind !== 'unique' && kind !== 'primaryKey') return
    const before = inSchemaOf(table, index)
    this.#indexes.set(inSchemaOf(table, named(table, constraint, this.table(table)).name), this.#indexes.get(before) ?? { table, columns })
    this.#indexes.delete(before)
  }

  #renameIndex (from: string, to: string): void {
    const index = this.#indexes.get(from)
    this.#indexes.delete(from)
    if (index !== undefined) this.#indexes.set(to, index)
  }

  #renameColumn (name: string, { from, to }: { readonly from: string, readonly to: string }): void {
    this.table(name).renameColumn(from, to)
    for (const [key, index] of this.#indexes) {
      if (index.table === name) this.#indexes.set(key, { ...index, columns: index.columns.map((column) => column === from ? to : column) })
    }
  }

  #rename (from: string, to: string): void {
    this.#tables.set(to, this.table(from))
    this.#tables.delete(from)
    for (const [key, index] of this.#indexes) if (index.table === from) this.#indexes.set(key, { ...index, table: to })
  }

  #drop (name: string): void {
    this.#tables.delete(name)
    for (const [key, index] of this.#indexes) if (index.table === name) this.#indexes.delete(key)
  }
}

/** The word in the names that PostgreSQL gives to constraints. */
const words = { check: 'check', foreignKey: 'fkey', unique: 'key', primaryKey: 'pkey', exclusion: 'excl', notNull: 'not_null' }

/** A constraint with its own name, or the one that PostgreSQL gives it. */
function named (table: string, constraint: TableConstraint, known: KnownTable): TableConstraint {
  const { name, kind } = constraint
  if (name !== '') return constraint
  const parts = kind === 'check' ? columnOfCheck(constraint, known) : kind === 'primaryKey' ? [] : constraint.columns
  return { ...constraint, name: [plainName(table), ...parts, words[kind]].join('_') }
}

/** The column in the name of a check: the only one in its condition. */
function columnOfCheck ({ columns, notNull }: TableConstraint, known: KnownTable): readonly string[] {
  const found = [...new Set(columns.filter((word) => known.column(word) !== undefined))]
  if (found.length === 0) return notNull
  return found.length === 1 ? found : []
}
