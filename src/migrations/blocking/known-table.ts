import type { ColumnDefinition } from './statements/column-definition.js'
import type { TableConstraint } from './statements/table-constraint.js'

/** What the files tell of a column. */
export interface KnownColumn {
  readonly type: string
  readonly isNotNull: boolean
}

/** What the files tell of a table. A table that no file creates has no columns, unless they were added. */
export class KnownTable {
  /** Whether the migrations that are deployed together create it, so that nobody uses it yet. */
  isNew: boolean
  readonly isPartitioned: boolean
  readonly #columns = new Map<string, KnownColumn>()
  #constraints: readonly TableConstraint[] = []

  constructor ({ isNew, isPartitioned }: { readonly isNew: boolean, readonly isPartitioned: boolean }) {
    this.isNew = isNew
    this.isPartitioned = isPartitioned
  }

  column (name: string): KnownColumn | undefined {
    return this.#columns.get(name)
  }

  get constraints (): readonly TableConstraint[] {
    return this.#constraints
  }

  /** Whether no row can have NULL in a column, by its NOT NULL or by a check that is valid. */
  hasNoNull (name: string): boolean {
    return this.column(name)?.isNotNull === true || this.#constraints.some(({ isValid, notNull }) => isValid && notNull.includes(name))
  }

  addColumn ({ name, type, isNotNull, generated, constraints }: ColumnDefinition): void {
    this.#columns.set(name, { type, isNotNull: isNotNull || generated === 'identity' || /serial/.test(type) })
    for (const constraint of constraints) this.addConstraint(constraint)
  }

  change (name: string, column: Partial<KnownColumn>): void {
    this.#columns.set(name, { type: '', isNotNull: false, ...this.column(name), ...column })
  }

  dropColumn (name: string): void {
    this.#columns.delete(name)
    this.#constraints = this.#constraints.filter(({ columns }) => !columns.includes(name))
  }

  addConstraint (constraint: TableConstraint): void {
    this.#constraints = [...this.#constraints, constraint]
    if (constraint.kind === 'primaryKey') for (const name of constraint.columns) this.change(name, { isNotNull: true })
    if (constraint.kind === 'notNull' && constraint.isValid) for (const name of constraint.columns) this.change(name, { isNotNull: true })
  }

  validate (name: string): void {
    this.#change(name, (constraint) => ({ ...constraint, isValid: true }))
    const [found] = this.#constraints.filter((constraint) => constraint.name === name && constraint.kind === 'notNull')
    for (const column of found?.columns ?? []) this.change(column, { isNotNull: true })
  }

  dropConstraint (name: string): void {
    const dropped = this.#constraints.find((constraint) => constraint.name === name)
    if (dropped?.kind === 'notNull') this.change(String(dropped.columns[0]), { isNotNull: false })
    this.#constraints = this.#constraints.filter((constraint) => constraint.name !== name)
  }

  renameConstraint (from: string, to: string): void {
    this.#change(from, (constraint) => ({ ...constraint, name: to }))
  }

  renameColumn (from: string, to: string): void {
    const column = this.column(from)
    this.#columns.delete(from)
    if (column !== undefined) this.#columns.set(to, column)
    const renamed = (names: readonly string[]) => names.map((name) => name === from ? to : name)
    this.#constraints = this.#constraints.map((constraint) => ({ ...constraint, columns: renamed(constraint.columns), notNull: renamed(constraint.notNull) }))
  }

  #change (name: string, change: (constraint: TableConstraint) => TableConstraint): void {
    this.#constraints = this.#constraints.map((constraint) => constraint.name === name ? change(constraint) : constraint)
  }
}
