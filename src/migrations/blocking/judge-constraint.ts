import { escapeIdentifier } from 'pg'
import { plainName, quoted } from './statements/full-name.js'
import { isToken, nameOf, sqlOf, type SqlToken } from './statements/sql-token.js'
import { outside, type Judgement } from './rule.js'
import type { KnownTables } from './known-tables.js'
import type { TableConstraint } from './statements/table-constraint.js'

/** A table that an action is about. */
export interface ActionPlace {
  /** Its full name. */
  readonly table: string
  readonly tables: KnownTables
  /** The tokens of the action. */
  readonly tokens: readonly SqlToken[]
}

/** What a constraint that is added to a table blocks; undefined if it is added at once. */
export function judgeConstraint (constraint: TableConstraint, place: ActionPlace): Judgement | undefined {
  switch (constraint.kind) {
    case 'check': return constraint.isValid ? judgeCheck(place) : undefined
    case 'notNull': return constraint.isValid && !place.tables.table(place.table).hasNoNull(String(constraint.columns[0])) ? judgeNotNull(String(constraint.columns[0]), place) : undefined
    case 'foreignKey': return constraint.isValid ? judgeForeignKey(constraint, place) : undefined
    case 'exclusion': return {
      rule: 'exclusion-constraint',
      table: place.table,
      message: `EXCLUDE builds an index over every row of ${place.table}, and nobody reads or writes the table until it ends`,
      steps: ['PostgreSQL has no other way to add it: run this file when the table is little used, or begin a new table with the constraint and move the rows to it']
    }
    default: return judgeKey(constraint, place)
  }
}

function judgeCheck ({ table, tokens }: ActionPlace): Judgement {
  const name = nameIn({ table, tokens }, 'check')
  return {
    rule: 'check-constraint',
    table,
    message: `CHECK reads every row of ${table}, and nobody reads or writes the table until it ends`,
    steps: [
      `Here: ${addNotValid({ table, tokens }, name)} new rows are checked from then on`,
      `In the next migration: ALTER TABLE ${quoted(table)} VALIDATE CONSTRAINT ${name}; it blocks nobody`
    ]
  }
}

function judgeForeignKey ({ references, columns }: TableConstraint, { table, tokens }: ActionPlace): Judgement {
  const name = nameIn({ table, tokens }, [...columns, 'fkey'].join('_'))
  return {
    rule: 'foreign-key',
    table,
    message: `The foreign key reads every row of ${table}, and nobody writes ${[...new Set([table, references])].join(' or ')} until it ends`,
    steps: [
      `Here: ${addNotValid({ table, tokens }, name)} new rows are checked from then on`,
      `In the next migration: ALTER TABLE ${quoted(table)} VALIDATE CONSTRAINT ${name}; it blocks nobody`
    ]
  }
}

/** What SET NOT NULL blocks where PostgreSQL must look for NULL itself. */
export function judgeNotNull (column: string, { table }: ActionPlace): Judgement {
  const [own, name, check] = [quoted(table), escapeIdentifier(column), escapeIdentifier(`${plainName(table)}_${column}_not_null`)]
  return {
    rule: 'set-not-null',
    table,
    message: `SET NOT NULL reads every row of ${table}, and nobody reads or writes the table until it ends`,
    steps: [
      `Here: ALTER TABLE ${own} ADD CONSTRAINT ${check} CHECK (${name} IS NOT NULL) NOT VALID;`,
      `In the next migration: ALTER TABLE ${own} VALIDATE CONSTRAINT ${check}; it blocks nobody`,
      `In the one after it: ALTER TABLE ${own} ALTER COLUMN ${name} SET NOT NULL; which trusts the valid check, and ALTER TABLE ${own} DROP CONSTRAINT ${check};`
    ]
  }
}

/** UNIQUE or PRIMARY KEY. */
function judgeKey ({ kind, index, columns }: TableConstraint, { table, tables, tokens }: ActionPlace): Judgement | undefined {
  const word = kind === 'unique' ? 'UNIQUE' : 'PRIMARY KEY'
  if (index !== '') return kind === 'unique' ? undefined : judgeNullsOfKey(tables.indexOf(table, index)?.columns ?? [], { table, tables, tokens })
  const name = nameIn({ table, tokens }, kind === 'unique' ? [...columns, 'key'].join('_') : 'pkey')
  const keys = columns.map(escapeIdentifier).join(', ')
  return {
    rule: 'unique-constraint',
    table,
    message: `${word} builds an index over every row of ${table}, and nobody reads or writes the table until it ends`,
    steps: [
      `Before, ${outside}: CREATE UNIQUE INDEX CONCURRENTLY ${name} ON ${quoted(table)} (${keys});`,
      `In the next migration: ALTER TABLE ${quoted(table)} ADD CONSTRAINT ${name} ${word} USING INDEX ${name};`,
      ...kind === 'unique' ? [] : ['A primary key also makes its columns NOT NULL: where they are not, do what set-not-null says before']
    ]
  }
}

/** A primary key that uses an index still reads the table if a column of it may be NULL. */
function judgeNullsOfKey (columns: readonly string[], place: ActionPlace): Judgement | undefined {
  const table = place.tables.table(place.table)
  const column = columns.find((name) => table.column(name) !== undefined && !table.hasNoNull(name))
  return column === undefined ? undefined : judgeNotNull(column, place)
}

type Added = Pick<ActionPlace, 'table' | 'tokens'>

/** The action that adds a constraint, under a name, without a look at the rows. */
function addNotValid ({ table, tokens }: Added, name: string): string {
  const own = hasName(tokens) ? tokens.slice(3) : tokens.slice(1)
  return `ALTER TABLE ${quoted(table)} ADD CONSTRAINT ${name} ${sqlOf(own)} NOT VALID;`
}

/** The name of a constraint, quoted: its own, or one like those that PostgreSQL gives. */
function nameIn ({ table, tokens }: Added, suffix: string): string {
  return escapeIdentifier(hasName(tokens) ? nameOf(tokens[2]!) : `${plainName(table)}_${suffix}`)
}

function hasName ([, word, name]: readonly SqlToken[]): boolean {
  return name !== undefined && isToken(word!, 'CONSTRAINT')
}
