import { escapeIdentifier } from 'pg'
import { judgeColumn } from './judge-column.js'
import { judgeConstraint, judgeNotNull, type ActionPlace } from './judge-constraint.js'
import { typeText } from './statements/column-type.js'
import { quoted } from './statements/full-name.js'
import { nameOf } from './statements/sql-token.js'
import { keepsStorage } from './type-change.js'
import type { Judgement } from './rule.js'
import type { TableAction } from './statements/table-action.js'

/** What an action of ALTER TABLE blocks; undefined if it is over at once. */
export function judgeAction (action: TableAction, place: ActionPlace): Judgement | undefined {
  const { table, tables } = place
  switch (action.kind) {
    case 'addColumn': return judgeColumn(action.column, place)
    case 'addConstraint': return judgeConstraint(action.constraint, place)
    case 'setNotNull': return tables.table(table).hasNoNull(action.column) ? undefined : judgeNotNull(action.column, place)
    case 'setType': return judgeType(action, place)
    case 'setExpression': return {
      rule: 'column-values',
      table,
      message: `SET EXPRESSION writes every row of ${table} again, and nobody reads or writes the table until it ends`,
      steps: ['Add a second column, fill it in batches with a trigger for new rows, and use it in place of the first']
    }
    case 'attachPartition': return judgePartition(action.partition, place)
    case 'rewrite': return rewritten(table)
    default: return undefined
  }
}

/** What a statement blocks that writes a whole table again. */
export function rewritten (table: string | undefined): Judgement {
  return {
    rule: 'rewrite-table',
    table,
    message: `It writes every row of ${table ?? 'each table'} again, and nobody reads or writes the table until it ends`,
    steps: ['Leave it to a time when nobody uses the table. To give space back while it is used, pg_repack and pg_squeeze copy a table beside it; plain VACUUM blocks nobody']
  }
}

function judgeType ({ column, type, using, hasCollation }: TableAction & { kind: 'setType' }, { table, tables }: ActionPlace): Judgement | undefined {
  const known = tables.table(table).column(column)?.type
  const isPlain = using.length === 0 || (nameOf(using[0]!) === column && (using.length === 1 || typeText(using.slice(3)) === type))
  const isKept = known !== undefined && known !== '' && keepsStorage(known, type) && isPlain && !(hasCollation && tables.isIndexed(table, column))
  const isChecked = tables.table(table).constraints.some(({ kind, columns }) => kind === 'check' && columns.includes(column))
  if (isKept && !isChecked) return undefined
  const from = known === undefined || known === '' ? '' : ` from ${known}`
  return {
    rule: 'column-type',
    table,
    message: isKept
      ? `The type of ${column} changes without a change of its values, but PostgreSQL reads every row of ${table} for a CHECK of the column, and nobody reads or writes the table until it ends`
      : `The type of ${column} changes${from} to ${type}: PostgreSQL writes every row of ${table} and its indexes again, and nobody reads or writes the table until it ends`,
    steps: isKept
      ? ['Here: drop the CHECK, change the type, and add the CHECK again NOT VALID', 'In the next migration: VALIDATE CONSTRAINT; it blocks nobody']
      : [
          `Here: ALTER TABLE ${quoted(table)} ADD COLUMN ${escapeIdentifier(`${column}_new`)} ${type}; and code that writes both columns`,
          'Then fill it in batches, each in a transaction of its own, outside of migrations; and code that reads the new one',
          'In a later migration: drop the old column. A longer varchar, varchar to text, or more digits of numeric need none of this: PostgreSQL changes only its catalogue'
        ]
  }
}

function judgePartition (partition: string, { table, tables }: ActionPlace): Judgement | undefined {
  const { isNew, constraints } = tables.table(partition)
  if (isNew || constraints.some(({ kind, isValid }) => kind === 'check' && isValid)) return undefined
  return {
    rule: 'attach-partition',
    table: partition,
    message: `ATTACH PARTITION reads every row of ${partition}, and nobody reads or writes it until it ends`,
    steps: [
      `Before: ALTER TABLE ${quoted(partition)} ADD CONSTRAINT … CHECK (…) NOT VALID; with the bounds of the partition, and that its key is not null`,
      'In the next migration: VALIDATE CONSTRAINT; it blocks nobody',
      `Then: ALTER TABLE ${quoted(table)} ATTACH PARTITION, which trusts the valid check`
    ]
  }
}
