import { SerializationFailureError, UniqueViolationError } from '../errors/errors.js'
import { handled } from '../handled.js'
import type { Statement, StatementRunner } from '../session/statement.js'
import { ask, firstOf, valueOf } from './answers.js'
import type { AnyRow } from './answers.js'
import type { Change } from './changes.js'
import { allOf } from './condition.js'
import type { Condition } from './condition.js'
import { inTheWay } from './conflict-target.js'
import { insertOnConflict } from './on-conflict.js'
import type { Conflict } from './on-conflict.js'
import type { CreatedRow } from './rows.js'
import { exists, select } from './select.js'
import type { TableStatements } from './statements.js'

/** How new rows are met, and what becomes of one that is in the way. */
export interface Meeting extends Conflict {
  /** Which rows may be found. */
  readonly found: Condition
  /** Whether the row that is met may be left as it is. */
  readonly mayLeave: boolean
}

/** A row that was made, changed, or only met. */
export interface Met {
  readonly result: CreatedRow
  readonly written: boolean
}

/** Inserts a row unless one is in the way, and resolves with the one that is there then: sent as often as is needed. */
export interface InsertOrMeet {
  readonly insert: Statement
  readonly find: () => Statement
  /** Whether the row that is met may be left as it is. */
  readonly mayLeave: boolean
  readonly look: () => Statement
}

/** A row would have to be deleted by others between two statements each time. */
const mostAttempts = 20

/** What is sent for a new row, checked and made once. @throws ValidationError where its key is not complete */
export function insertOrMeet (table: TableStatements, meeting: Meeting, changes: readonly Change[]): InsertOrMeet {
  const { operation, target, found, mayLeave } = meeting
  const key = inTheWay(target, changes)
  return {
    insert: insertOnConflict(table, meeting, changes),
    mayLeave,
    find: () => select(table, { operation, where: allOf([key, found]), options: undefined, kind: 'row' }),
    look: () => exists(table, key)
  }
}

/**
 * INSERT … ON CONFLICT meets every row, those of transactions that are still open included, for which it waits: two that do this
 * at the same time make one row. What it met and did not write it does not tell, so that is read. Whoever deletes the row in between
 * makes room for another attempt.
 *
 * Where others of the same call are sent behind it in one transaction, a row that may be left is read at once, before one of them
 * can change it.
 *
 * @throws UniqueViolationError where the row in the way is none that may be found.
 */
export async function settle (session: StatementRunner, { insert, find, look, mayLeave }: InsertOrMeet, { isFollowed = false } = {}): Promise<Met> {
  const { context } = insert
  const read = (): Promise<AnyRow | undefined> => ask<AnyRow, AnyRow | undefined>(session, find, firstOf)
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    const inserted = session.run<CreatedRow>(insert)
    const early = isFollowed && mayLeave ? handled(read()) : undefined
    const { rows: [written] } = await inserted
    if (written !== undefined) return { result: written, written: true }
    const row = await (early ?? read())
    if (row !== undefined) return { result: { row, created: false }, written: false }
    if (await ask(session, look, valueOf) !== undefined) throw new UniqueViolationError(undefined, { context })
  }
  throw new SerializationFailureError(undefined, { context })
}
