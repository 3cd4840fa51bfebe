import { escapeIdentifier } from 'pg'
import { quoted } from './statements/full-name.js'
import { volatileFunction } from './volatile-default.js'
import type { ActionPlace } from './judge-constraint.js'
import type { Judgement } from './rule.js'
import type { ColumnDefinition } from './statements/column-definition.js'

/** What a new column of a table blocks; undefined if it is added at once, as one with a constant default. */
export function judgeColumn (column: ColumnDefinition, place: ActionPlace): Judgement | undefined {
  return judgeValues(column, place) ?? judgeMissingDefault(column, place) ?? judgeOwnConstraints(column, place)
}

function judgeValues (column: ColumnDefinition, { table }: ActionPlace): Judgement | undefined {
  const reason = valueOfEachRow(column)
  if (reason === undefined) return undefined
  const [own, name] = [quoted(table), escapeIdentifier(column.name)]
  return {
    rule: 'column-values',
    table,
    message: `${reason}: PostgreSQL writes every row of ${table} and its indexes again, and nobody reads or writes the table until it ends`,
    steps: column.generated === 'stored'
      ? ['Compute it in queries, in a view, or from PostgreSQL 18 on in a VIRTUAL column. Or add an ordinary column, with a trigger for new rows, and fill it in batches']
      : [
          `Here: ALTER TABLE ${own} ADD COLUMN ${name} ${plainType(column.type)}; and then the default, which concerns new rows only: ALTER TABLE ${own} ALTER COLUMN ${name} SET DEFAULT …;`,
          'Then fill the old rows in batches, each in a transaction of its own, outside of migrations',
          `If it must be NOT NULL, ${column.generated === 'identity' ? 'as ADD GENERATED … AS IDENTITY needs it, ' : ''}do what set-not-null says at last`
        ]
  }
}

/** The reason why each row gets a value of its own. */
function valueOfEachRow ({ name, type, generated, default: expression }: ColumnDefinition): string | undefined {
  if (generated === 'stored') return `Each row gets a value of the generated column ${name}`
  if (generated === 'identity' || /serial/.test(type)) return `Each row gets a number in ${name}`
  const called = volatileFunction(expression)
  return called === undefined ? undefined : `Each row gets its own value of ${called}() in ${name}, unless the function is STABLE or IMMUTABLE`
}

function plainType (type: string): string {
  return { serial: 'integer', serial4: 'integer', bigserial: 'bigint', serial8: 'bigint', smallserial: 'smallint', serial2: 'smallint' }[type] ?? type
}

/** PostgreSQL refuses it on a table with rows. */
function judgeMissingDefault (column: ColumnDefinition, { table }: ActionPlace): Judgement | undefined {
  const isKey = column.constraints.some(({ kind }) => kind === 'primaryKey')
  if (!(column.isNotNull || isKey) || column.default.length > 0 || column.generated !== undefined) return undefined
  const [own, name] = [quoted(table), escapeIdentifier(column.name)]
  return {
    rule: 'not-null-without-default',
    table,
    message: `${column.name} is NOT NULL and has no default: PostgreSQL refuses it if ${table} has a row`,
    steps: [
      `With a constant default it is added at once: ALTER TABLE ${own} ADD COLUMN ${name} ${column.type} DEFAULT … NOT NULL;`,
      `Without one, here: ALTER TABLE ${own} ADD COLUMN ${name} ${column.type}; and code that writes it`,
      'Then fill the old rows in batches, and do what set-not-null says'
    ]
  }
}

/** A foreign key of a column without a value is not looked up. A check, and an index for UNIQUE, always need every row. */
function judgeOwnConstraints (column: ColumnDefinition, place: ActionPlace): Judgement | undefined {
  const slow = column.constraints.find(({ kind }) => kind !== 'foreignKey' || column.default.length > 0)
  if (slow === undefined) return undefined
  const rule = ruleOf[slow.kind]
  return {
    rule,
    table: place.table,
    lock: 'ACCESS EXCLUSIVE',
    message: `The constraint of the new column ${column.name} needs every row of ${place.table}, and nobody reads or writes the table until it ends`,
    steps: [
      `Here, without the constraint: ALTER TABLE ${quoted(place.table)} ADD COLUMN ${escapeIdentifier(column.name)} ${column.type};`,
      `In the next migration, add it to the table by itself, as ${rule} says`
    ]
  }
}

/** The rule of a constraint that stands in the definition of a column. */
const ruleOf = { check: 'check-constraint', foreignKey: 'foreign-key', unique: 'unique-constraint', primaryKey: 'unique-constraint' } as const
