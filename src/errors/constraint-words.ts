import type { DatabaseErrorOptions } from './errors.js'

/** What a client is told when one constraint is violated; what is left out stays as the class has it. */
export interface ConstraintWords {
  /** HTTP status, 400 to 599. */
  readonly status?: number
  readonly code?: string
  readonly message?: string
}

/**
 * Constraint names, as PostgreSQL knows them, to the words of their own.
 *
 * @example
 * ```ts
 * const constraints = { users_email_key: { status: 409, code: 'EMAIL_TAKEN', message: 'This e-mail is taken' } }
 * ```
 */
export type ConstraintMap = Readonly<Record<string, ConstraintWords>>

/** The words for a constraint, as an error takes them. */
export function wordsOf (name: string | undefined, constraints: ConstraintMap = {}): Pick<DatabaseErrorOptions, 'code' | 'statusCode'> & { message: string | undefined } {
  const words = name !== undefined && Object.hasOwn(constraints, name) ? constraints[name] : undefined
  return { message: words?.message, code: words?.code, statusCode: words?.status }
}
