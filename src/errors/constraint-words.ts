import type { DatabaseErrorOptions } from './errors.js'

/** The reply to a client when one constraint is violated; an omitted part is taken from the error class. */
export interface ConstraintWords {
  /** HTTP status, 400 to 599. */
  readonly status?: number
  readonly code?: string
  readonly message?: string
}

/**
 * Maps PostgreSQL's constraint names to their own replies.
 *
 * @example
 * ```ts
 * const constraints = { users_email_key: { status: 409, code: 'EMAIL_TAKEN', message: 'This e-mail is taken' } }
 * ```
 */
export type ConstraintMap = Readonly<Record<string, ConstraintWords>>

/** The reply for a constraint, as options of an error. */
export function wordsOf (name: string | undefined, constraints: ConstraintMap = {}): Pick<DatabaseErrorOptions, 'code' | 'statusCode'> & { message: string | undefined } {
  const words = name !== undefined && Object.hasOwn(constraints, name) ? constraints[name] : undefined
  return { message: words?.message, code: words?.code, statusCode: words?.status }
}
