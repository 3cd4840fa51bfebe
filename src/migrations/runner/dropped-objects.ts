import { readStatement } from '../blocking/statements/read-statement.js'
import { bareName, inSchemaOf, movedTo } from '../blocking/statements/full-name.js'
import type { Change } from '../blocking/statements/change.js'
import type { TableAction } from '../blocking/statements/table-action.js'
import type { MigrationStep } from '../history/step.js'

/** A table or a column that a way back drops, by the names that it has before the first step. */
export interface DroppedObject {
  /** The step whose file drops it. */
  readonly step: MigrationStep
  /** The table, or the schema of all tables, as SQL names it. */
  readonly name: string
  readonly kind: 'table' | 'schema' | 'column'
  /** The name of the column. */
  readonly column?: string
  /** The tables of the schema that earlier statements have moved away or renamed. */
  readonly without?: readonly string[]
}

type Dropped = Omit<DroppedObject, 'step'>

/** The tables and columns that the files of a rollback drop, as far as they are there before the first file runs. */
export function droppedObjects (steps: readonly MigrationStep[]): DroppedObject[] {
  const names = new FormerNames()
  return steps.flatMap((step) => step.text.scanned.flat().flatMap(({ sql }) => readStatement(sql, 0)).flatMap(({ change }) =>
    names.read(change).map((dropped) => ({ step, ...dropped }))))
}

/** The names of tables and columns before the first step, by their names now. What a step has created has none. */
class FormerNames {
  readonly #tables = new Map<string, string | undefined>()
  readonly #columns = new Map<string, string | undefined>()

  /** Notes a change, and returns what it drops. */
  read (change: Change): Dropped[] {
    if (change.kind === 'createTable') this.#tables.set(change.table, undefined)
    // Without CASCADE, PostgreSQL drops only a schema that is empty.
    if (change.kind === 'dropSchema') return change.isCascade ? change.schemas.flatMap((schema) => this.#dropSchema(schema)) : []
    if (change.kind === 'dropTable' || change.kind === 'truncate') return change.tables.flatMap((table) => this.#dropTable(table))
    if (change.kind === 'alterTable') return change.actions.flatMap(({ action }) => this.#act(change.table, action))
    return []
  }

  #former (table: string): string | undefined {
    return this.#tables.has(table) ? this.#tables.get(table) : table
  }

  #dropTable (table: string): Dropped[] {
    const name = this.#former(table)
    return name === undefined ? [] : [{ kind: 'table', name }]
  }

  /** Its tables are those that it has before the first step, and those that came since. */
  #dropSchema (name: string): Dropped[] {
    const touched = [...this.#tables].filter(([table]) => schemaOf(table) === name)
    const came = touched.flatMap(([, former]): Dropped[] => former === undefined ? [] : [{ kind: 'table', name: former }])
    return [{ kind: 'schema', name, without: touched.map(([table]) => table) }, ...came]
  }

  #act (table: string, action: TableAction): Dropped[] {
    const former = this.#former(table)
    const keyOf = (column: string) => `${String(former)} ${column}`
    const formerColumn = (column: string) => this.#columns.has(keyOf(column)) ? this.#columns.get(keyOf(column)) : column
    if (action.kind === 'renameTable') this.#rename(table, inSchemaOf(table, action.to))
    if (action.kind === 'moveTable') this.#rename(table, movedTo(action.to, table))
    if (action.kind === 'addColumn') this.#columns.set(keyOf(action.column.name), undefined)
    if (action.kind === 'renameColumn') {
      this.#columns.set(keyOf(action.to), formerColumn(action.from))
      this.#columns.set(keyOf(action.from), undefined)
    }
    if (action.kind !== 'dropColumn') return []
    const column = formerColumn(action.name)
    this.#columns.set(keyOf(action.name), undefined)
    return former === undefined || column === undefined ? [] : [{ kind: 'column', name: former, column }]
  }

  #rename (from: string, to: string): void {
    this.#tables.set(to, this.#former(from))
    this.#tables.set(from, undefined)
  }
}

/** The schema of a full name; `public` where it has none. */
function schemaOf (table: string): string {
  const bare = bareName(table)
  return bare === table ? 'public' : table.slice(0, -bare.length - 1)
}
