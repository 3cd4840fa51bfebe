import { NotStoredError, SerializationFailureError, UniqueViolationError } from '../../errors/errors.js'
import { handled } from '../../runtime/promises.js'
import type { Statement, StatementRunner } from '../../statement/statement.js'
import { ask, firstOf, valueOf } from '../table/answers.js'
import { storedOf } from '../write/run-write.js'
import type { AnyRow } from '../table/answers.js'
import type { Change } from '../write/column-values.js'
import { allOf } from '../filter/condition.js'
import type { Condition } from '../filter/condition.js'
import { inTheWay, keyIn } from './conflict-target.js'
import { insertOnConflict } from './on-conflict.js'
import type { Conflict } from './on-conflict.js'
import type { CreatedRow } from '../../values/column-codec.js'
import { exists, policed, select } from '../read/select.js'
import type { TableStatements } from '../table/table-statements.js'
import { insert } from '../write/write-statements.js'

/** How new rows are met, and what becomes of one that is in the way. */
export interface ConflictPlan extends Conflict {
  /** Which rows may be found. */
  readonly found: Condition
  /** Whether the row that is met may be left as it is. */
  readonly mayLeave: boolean
}

/** A row that was made, changed, or only met. */
export interface UpsertResult {
  readonly result: CreatedRow
  readonly written: boolean
}

/** Inserts a row unless one is in the way, and resolves with the one that is there then: sent as often as is needed. */
export interface InsertOrSelect {
  readonly insert: Statement
  readonly find: () => Statement
  /** Whether the row that is met may be left as it is. */
  readonly mayLeave: boolean
  readonly look: () => Statement
  /** The same new row, where a row in its way is an error. */
  readonly plain: () => Statement
  /** Asks whether policies hide rows of the table. */
  readonly isPoliced: () => Statement
  /** The values of its key, as PostgreSQL tells of them. */
  readonly key: string
}

/** A row would have to come and go between two statements each time; behind that many it is asked why. */
const mostAttempts = 5

const hidden = 'A row with the same unique value already exists, and is not seen here: it is deleted, or a policy hides it'

/** What is sent for a new row, checked and made once. @throws ValidationError where its key is not complete */
export function insertOrSelect (table: TableStatements, meeting: ConflictPlan, changes: readonly Change[]): InsertOrSelect {
  const { operation, target, found, mayLeave } = meeting
  const values = keyIn(target, changes)
  const key = inTheWay(target, values)
  return {
    insert: insertOnConflict(table, meeting, changes),
    mayLeave,
    find: () => select(table, { operation, where: allOf([key, found]), options: undefined, kind: 'row' }),
    look: () => exists(table, key),
    plain: () => insert(table, operation, [changes]),
    isPoliced: () => policed(table, operation),
    key: values.map((value) => value ?? 'null').join(', ')
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
 * @throws UniqueViolationError where the row in the way is none that may be found; NotStoredError where PostgreSQL does not write the
 * row, though nothing is in its way or the one in its way is to be changed.
 */
export async function settle (session: StatementRunner, one: InsertOrSelect, { isFollowed = false } = {}): Promise<UpsertResult> {
  const { insert, find, look, mayLeave } = one
  const { context } = insert
  const read = (): Promise<AnyRow | undefined> => ask<AnyRow, AnyRow | undefined>(session, find, firstOf)
  let isThere = false
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    const inserted = session.run<CreatedRow>(insert)
    const early = isFollowed && mayLeave ? handled(read()) : undefined
    const { rows: [written] } = await inserted
    if (written !== undefined) return { result: written, written: true }
    const row = await (early ?? read())
    if (row !== undefined && mayLeave) return { result: { row, created: false }, written: false }
    isThere = row !== undefined
    if (!isThere && await ask(session, look, valueOf) !== undefined) throw new UniqueViolationError(hidden, { context })
  }
  if (isThere) throw new NotStoredError(undefined, { context })
  return await insertAnyhow(session, one)
}

/** The row is never there, and never stored: a plain INSERT tells why. */
async function insertAnyhow (session: StatementRunner, { plain, isPoliced, key }: InsertOrSelect): Promise<UpsertResult> {
  try {
    const row = await session.transaction((scope) => ask<AnyRow, AnyRow>(scope, plain, storedOf))
    return { result: { row, created: true }, written: true }
  } catch (error) {
    if (!(error instanceof UniqueViolationError)) throw error
    const { cause, context } = error
    if (await ask(session, isPoliced, valueOf) === true) throw new UniqueViolationError(hidden, { cause, context })
    // Where it is the row that was looked for, it comes and goes; where it is another one, a trigger has changed the key.
    if (detailOf(cause).includes(`=(${key})`)) throw new SerializationFailureError(undefined, { cause, context })
    throw error
  }
}

/** `Key (name)=(ada) already exists.`, in any language. */
function detailOf (answer: unknown): string {
  return String((answer as { detail?: unknown }).detail) // an answer of PostgreSQL
}
