import { readConstraint } from './table-constraint.js'
import { TokenReader } from './token-reader.js'
import { typeText } from './column-type.js'
import type { SqlToken } from './sql-token.js'
import type { TableConstraint } from './table-constraint.js'

/** A constraint in the definition of a column, besides NOT NULL. */
export type ColumnConstraint = TableConstraint & { readonly kind: 'check' | 'foreignKey' | 'unique' | 'primaryKey' }

/** A column of CREATE TABLE, or of ADD COLUMN. */
export interface ColumnDefinition {
  readonly name: string
  readonly type: string
  /** The expression after DEFAULT. */
  readonly default: readonly SqlToken[]
  /** `identity` and `stored` write a value into every row; `virtual` does not. */
  readonly generated: 'identity' | 'stored' | 'virtual' | undefined
  readonly isNotNull: boolean
  readonly constraints: readonly ColumnConstraint[]
}

/** The words after which no type and no expression goes on. */
const ends = ['CONSTRAINT', 'NOT NULL', 'NULL', 'DEFAULT', 'CHECK', 'GENERATED', 'UNIQUE', 'PRIMARY KEY', 'REFERENCES', 'COLLATE', 'STORAGE', 'COMPRESSION', 'DEFERRABLE', 'NOT DEFERRABLE', 'INITIALLY']

/** Reads the definition of a column. */
export function readColumn (tokens: readonly SqlToken[]): ColumnDefinition {
  const reader = new TokenReader(tokens)
  const name = reader.name()
  const column: OpenColumn = { name, type: typeText(reader.until(...ends)), default: [], generated: undefined, isNotNull: false, constraints: [] }
  while (!reader.isDone) readPart(reader, column)
  return column
}

/** A column whose definition is being read. */
type OpenColumn = { -readonly [Key in keyof ColumnDefinition]: ColumnDefinition[Key] }

function readPart (reader: TokenReader, column: OpenColumn): void {
  if (reader.take('SET DEFAULT') || reader.take('SET NULL')) return // of a foreign key: ON DELETE SET NULL
  if (reader.take('NOT NULL')) column.isNotNull = true
  else if (reader.take('DEFAULT')) column.default = reader.is('NULL') ? [] : reader.until(...ends)
  else if (reader.take('GENERATED')) column.generated = readGenerated(reader)
  else if (constraints.some((words) => reader.is(words))) addConstraint(column, readConstraint(reader, column.name))
  else reader.token()
}

const constraints = ['CONSTRAINT', 'CHECK', 'UNIQUE', 'PRIMARY KEY', 'REFERENCES']

function addConstraint (column: OpenColumn, constraint: TableConstraint): void {
  if (constraint.kind === 'notNull' || constraint.kind === 'primaryKey') column.isNotNull = true
  if (isOfColumn(constraint)) column.constraints = [...column.constraints, constraint]
}

function isOfColumn (constraint: TableConstraint): constraint is ColumnConstraint {
  return constraint.kind !== 'notNull' && constraint.kind !== 'exclusion'
}

function readGenerated (reader: TokenReader): ColumnDefinition['generated'] {
  reader.until('IDENTITY', '(')
  if (reader.take('IDENTITY')) {
    reader.group()
    return 'identity'
  }
  reader.group()
  // Since PostgreSQL 18 a column is virtual unless the word STORED follows.
  return reader.take('STORED') ? 'stored' : 'virtual'
}
