import { isBlocking, type Judgement, type Lock } from './rule.js'
import type { KnownTables } from './known-tables.js'
import type { Change } from './statements/change.js'
import type { TableAction } from './statements/table-action.js'

type TakenLock = readonly [table: string, lock: Lock]

/** The locks of one transaction on tables that are in use, as far as they block writes: PostgreSQL keeps each to the end of the transaction. */
export class HeldLocks {
  readonly #tables: KnownTables
  readonly #held: TakenLock[] = []
  #hasSeveral = false

  constructor (tables: KnownTables) {
    this.#tables = tables
  }

  /** Notes the locks of a statement, and returns the first judgement about them. */
  take (change: Change): Judgement | undefined {
    const taken = locksOf(change, this.#tables).filter(([table]) => !this.#tables.table(table).isNew)
    // The actions of one ALTER TABLE share its locks.
    const [first] = change.kind === 'alterTable' ? [...this.#held, ...taken] : this.#held
    this.#held.push(...taken)
    return (first && this.#workUnder(first, change)) ?? this.#several()
  }

  /** Whether a statement that may read or write many rows runs under a lock. */
  #workUnder ([table, lock]: TakenLock, change: Change): Judgement | undefined {
    const work = this.#workOf(change)
    if (work === undefined) return undefined
    return {
      rule: 'work-under-lock',
      table,
      lock,
      message: `${work} takes as long as there are rows, and the transaction of this file keeps ${lock} on ${table} until it ends`,
      steps: [`Put it into the next migration, which is a transaction of its own${change.kind === 'writeRows' ? '. Where there are many rows, change them in batches, outside of migrations' : ''}`]
    }
  }

  /** The words for a statement that may read or write many rows. */
  #workOf (change: Change): string | undefined {
    if (change.kind === 'writeRows') return `A change of the rows of ${change.table}`
    const isValidated = change.kind === 'alterTable' && !this.#tables.table(change.table).isNew && change.actions.some(({ action }) => action.kind === 'validateConstraint')
    return isValidated ? `VALIDATE CONSTRAINT on ${change.table}` : undefined
  }

  #several (): Judgement | undefined {
    const locked = [...new Set(this.#held.filter(([, lock]) => lock === 'ACCESS EXCLUSIVE').map(([table]) => table))]
    if (locked.length < 2 || this.#hasSeveral) return undefined
    this.#hasSeveral = true
    const [first, second] = locked as [string, string]
    return {
      rule: 'several-tables',
      table: second,
      message: `While it waits for its lock on ${second}, nobody reads or writes ${first}, which the transaction of this file has locked already`,
      steps: ['Give each table a migration of its own: each is one transaction']
    }
  }
}

function locksOf (change: Change, tables: KnownTables): TakenLock[] {
  switch (change.kind) {
    case 'alterTable': return change.actions.flatMap(({ action }) => locksOfAction(change.table, action))
    case 'createIndex': return change.isConcurrent ? [] : [[change.table, 'SHARE']]
    case 'dropIndex': return change.indexes.flatMap((index) => exclusively(tables.index(index)?.table))
    case 'reindex': return change.target === 'table' ? [[change.name, 'SHARE']] : []
    case 'dropTable':
    case 'truncate': return change.tables.flatMap(exclusively)
    case 'lockTable': return change.tables.flatMap((table) => isBlocking(change.mode) ? [[table, change.mode] as const] : [])
    case 'refreshView': return exclusively(change.view)
    default: return []
  }
}

function exclusively (table: string | undefined): TakenLock[] {
  return table === undefined ? [] : [[table, 'ACCESS EXCLUSIVE']]
}

function locksOfAction (table: string, action: TableAction): TakenLock[] {
  switch (action.kind) {
    case 'validateConstraint': return []
    case 'attachPartition': return exclusively(action.partition)
    case 'other': return action.isExclusive ? exclusively(table) : []
    case 'addConstraint':
      if (action.constraint.kind !== 'foreignKey') return exclusively(table)
      return [[table, 'SHARE ROW EXCLUSIVE'], [action.constraint.references, 'SHARE ROW EXCLUSIVE']]
    default: return exclusively(table)
  }
}
