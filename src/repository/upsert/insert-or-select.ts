import { NotStoredError, SerializationFailureError, UniqueViolationError } from '../../errors/errors.js'
import { handled } from '../../runtime/promises.js'
import type { Statement, StatementRunner } from '../../statement/statement.js'
import { ask, firstOf, valueOf } from '../table/answers.js'
import { storedOf } from '../write/run-write.js'
import type { AnyRow } from '../table/answers.js'
import type { Change } from '../write/column-values.js'
import { allOf } from '../filter/condition.js'
import type { Condition } from '../filter/condition.js'
import { conflictCondition, keyIn } from './conflict-target.js'
import { insertOnConflict } from './on-conflict.js'
import type { Conflict } from './on-conflict.js'
import type { CreatedRow } from '../../values/column-codec.js'
import { exists, policed, select } from '../read/select.js'
import type { TableStatements } from '../table/table-statements.js'
import { insert } from '../write/write-statements.js'

/** How an existing row with the same key is found and handled. */
export interface ConflictPlan extends Conflict {
  /** The rows that may be found. */
  readonly found: Condition
  /** Whether an existing row may stay unchanged. */
  readonly mayLeave: boolean
}

/** A row that was created, changed, or only found. */
export interface UpsertResult {
  readonly result: CreatedRow
  readonly written: boolean
}

/** The statements that insert a row or find the existing one. They may run several times. */
export interface InsertOrSelect {
  readonly insert: Statement
  readonly find: () => Statement
  /** Whether an existing row may stay unchanged. */
  readonly mayLeave: boolean
  /** Reads whether any row has the key, visible or not. */
  readonly hasKey: () => Statement
  /** Inserts the same row without ON CONFLICT: an existing row is an error. */
  readonly plain: () => Statement
  /** Reads whether policies hide rows of the table. */
  readonly isPoliced: () => Statement
  /** The values of its key, as PostgreSQL prints them in an error. */
  readonly key: string
}

/** After this many attempts, a plain INSERT shows the reason: a trigger, or a row that appears and disappears each time. */
const maxAttempts = 5

const hidden = 'A row with the same unique value already exists, but is not visible here: it is deleted, or a policy hides it'

/** Prepares the statements for a new row. @throws ValidationError for an incomplete key */
export function prepareInsertOrSelect (table: TableStatements, plan: ConflictPlan, changes: readonly Change[]): InsertOrSelect {
  const { operation, target, found, mayLeave } = plan
  const values = keyIn(target, changes)
  const key = conflictCondition(target, values)
  return {
    insert: insertOnConflict(table, plan, changes),
    mayLeave,
    find: () => select(table, { operation, where: allOf([key, found]), options: undefined, kind: 'row' }),
    hasKey: () => exists(table, key),
    plain: () => insert(table, { operation, returning: true }, [changes]),
    isPoliced: () => policed(table, operation),
    key: values.map((value) => value ?? 'null').join(', ')
  }
}

/**
 * Inserts a row, or finds the existing one. INSERT … ON CONFLICT waits for open transactions with the same key, so concurrent calls
 * make one row. It does not return a row that it did not write, so a SELECT reads it. If the row is deleted in between, the next
 * attempt can insert.
 *
 * With `isFollowed`, other rows follow in the same transaction. A row that may stay unchanged is then read at once, before they
 * can change it.
 *
 * @throws UniqueViolationError if the existing row may not be found; NotStoredError if PostgreSQL does not write the row although
 * nothing conflicts, or does not change a row that is to be changed.
 */
export async function insertOrSelect (session: StatementRunner, one: InsertOrSelect, { isFollowed = false } = {}): Promise<UpsertResult> {
  const { insert, find, hasKey, mayLeave } = one
  const { context } = insert
  const read = (): Promise<AnyRow | undefined> => ask<AnyRow, AnyRow | undefined>(session, find, firstOf)
  let isFound = false
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const inserted = session.run<CreatedRow>(insert)
    const early = isFollowed && mayLeave ? handled(read()) : undefined
    const { rows: [written] } = await inserted
    if (written !== undefined) return { result: written, written: true }
    const row = await (early ?? read())
    if (row !== undefined && mayLeave) return { result: { row, created: false }, written: false }
    isFound = row !== undefined
    if (!isFound && await ask(session, hasKey, valueOf) !== undefined) throw new UniqueViolationError(hidden, { context })
  }
  if (isFound) throw new NotStoredError(undefined, { context })
  return await insertPlainly(session, one)
}

/** Sends a plain INSERT, whose error gives the reason why the row is neither found nor stored. */
async function insertPlainly (session: StatementRunner, { plain, isPoliced, key }: InsertOrSelect): Promise<UpsertResult> {
  try {
    const row = await session.transaction((scope) => ask<AnyRow, AnyRow>(scope, plain, storedOf))
    return { result: { row, created: true }, written: true }
  } catch (error) {
    if (!(error instanceof UniqueViolationError)) throw error
    const { cause, context } = error
    if (await ask(session, isPoliced, valueOf) === true) throw new UniqueViolationError(hidden, { cause, context })
    // A conflict on the same key means that the row appears and disappears. On another key, a trigger has changed the key.
    if (detailOf(cause).includes(`=(${key})`)) throw new SerializationFailureError(undefined, { cause, context })
    throw error
  }
}

/** The detail of an error, `Key (name)=(ada) already exists.`, in any language. */
function detailOf (answer: unknown): string {
  return String((answer as { detail?: unknown }).detail) // an answer of PostgreSQL
}
