import { isToken, nameOf, splitAtCommas, type SqlToken } from './sql-token.js'
import type { TokenReader } from './token-reader.js'

/** A constraint of a table or of a column. */
export interface TableConstraint {
  readonly kind: 'check' | 'foreignKey' | 'unique' | 'primaryKey' | 'exclusion' | 'notNull'
  /** Empty if PostgreSQL gives it one. */
  readonly name: string
  /** The columns of a key, or the words of a check, which include its columns. */
  readonly columns: readonly string[]
  /** The columns of which a check says `IS NOT NULL`, and nothing but that or more with AND. */
  readonly notNull: readonly string[]
  readonly isValid: boolean
  /** The referenced table; empty for other constraints. */
  readonly references: string
  /** The index of `USING INDEX`; empty without. */
  readonly index: string
}

const beginnings = ['CONSTRAINT', 'CHECK', 'UNIQUE', 'PRIMARY KEY', 'FOREIGN KEY', 'EXCLUDE', 'NOT NULL']

/** Whether a constraint of a table comes next. */
export function beginsConstraint (reader: TokenReader): boolean {
  return beginnings.some((words) => reader.is(words))
}

/**
 * Reads a constraint, from the word CONSTRAINT or its kind on.
 *
 * @param column the column that the constraint belongs to; empty for one of the table
 */
export function readConstraint (reader: TokenReader, column = ''): TableConstraint {
  const name = reader.take('CONSTRAINT') ? reader.name() : ''
  const none: Omit<TableConstraint, 'kind'> = { name, columns: column === '' ? [] : [column], notNull: [], isValid: true, references: '', index: '' }
  if (reader.take('CHECK')) return { ...none, ...checked(reader.group()), isValid: isValid(reader, column) }
  if (reader.take('NOT NULL')) {
    const of = column === '' ? reader.name() : column
    return { ...none, kind: 'notNull', columns: [of], notNull: [of], isValid: isValid(reader, column) }
  }
  if (reader.take('EXCLUDE')) return { ...none, kind: 'exclusion' }
  if (reader.take('FOREIGN KEY')) {
    const columns = namesIn(reader.group())
    reader.take('REFERENCES')
    return { ...none, kind: 'foreignKey', columns, references: reader.fullName(), isValid: isValid(reader, column) }
  }
  if (reader.take('REFERENCES')) return { ...none, kind: 'foreignKey', references: reader.fullName() }
  const kind = reader.take('PRIMARY KEY') ? 'primaryKey' : 'unique'
  reader.take('UNIQUE')
  reader.take('NULLS NOT DISTINCT')
  reader.take('NULLS DISTINCT')
  const isNamed = reader.take('USING INDEX') && !reader.take('TABLESPACE')
  const index = isNamed ? reader.name() : ''
  const columns = isNamed ? [] : namesIn(reader.group())
  return { ...none, kind, index, columns: columns.length > 0 ? columns : none.columns }
}

function checked (condition: readonly SqlToken[]): Pick<TableConstraint, 'kind' | 'columns' | 'notNull'> {
  return { kind: 'check', columns: condition.map(nameOf), notNull: provenNotNull(condition) }
}

/** Whether a constraint does without NOT VALID, which only constraints of a table may have. */
function isValid (reader: TokenReader, column: string): boolean {
  if (column !== '') return true
  reader.until('NOT VALID')
  return !reader.is('NOT VALID')
}

/** The columns that a condition proves to have no NULL: those of `column IS NOT NULL`, alone or joined with AND. */
function provenNotNull (condition: readonly SqlToken[]): string[] {
  if (condition.some((token) => isToken(token, 'OR'))) return []
  return condition.flatMap((token, index) => {
    const after = condition.slice(index + 1, index + 4)
    const before = condition[index - 1]
    const isWhole = before === undefined || isToken(before, 'AND') || isToken(before, '(')
    return isWhole && ['IS', 'NOT', 'NULL'].every((word, at) => after[at] !== undefined && isToken(after[at], word)) ? [nameOf(token)] : []
  })
}

/** The names in a list of columns; empty for an expression. */
export function namesIn (tokens: readonly SqlToken[]): string[] {
  return splitAtCommas(tokens).flatMap(([first, second]) => first === undefined || (second !== undefined && isToken(second, '(')) || isToken(first, '(') ? [] : [nameOf(first)])
}
