import { anything, complaintOf, flag, object, text } from '../runtime/option-checks.js'
import type { OptionChecks } from '../runtime/option-checks.js'
import { withoutValues } from './redact.js'

/** The place where an error happened: names from the schema and from PostgreSQL's catalogue, never a value. */
export interface ErrorContext {
  readonly operation?: string
  readonly table?: string
  readonly columns?: readonly string[]
  readonly sqlState?: string
  readonly constraint?: string
  readonly column?: string
  /** The index, from 0, of the row in a call with many rows. */
  readonly row?: number
  /** The transaction of a commit whose response was lost, for `pg_xact_status`. */
  readonly transactionId?: string
  /** Of several databases with one commit: those that have committed changes, in order. */
  readonly committed?: readonly string[]
  /** The one whose commit failed. */
  readonly failed?: string
  /** Those that were rolled back for it. */
  readonly rolledBack?: readonly string[]
  /** With a statement budget: the text that was run most often, with `$1` in place of values, and how often. */
  readonly statement?: string
  readonly times?: number
  /** The function in PostgreSQL's source that raised the error. */
  readonly routine?: string
}

/** The options that every error of this package takes after its message. */
export interface DatabaseErrorOptions {
  /**
   * The error behind this one; an error from PostgreSQL has its SQLSTATE in `cause.code`.
   *
   * `cause.detail` and `cause.original` may hold values, so they are not enumerable and stay out of the log.
   */
  readonly cause?: unknown
  readonly context?: ErrorContext | undefined
  /** Reply headers, besides `retry-after`. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Sent as `Retry-After`, in seconds; 1 by default for retryable errors. */
  readonly retryAfterSeconds?: number | undefined
  /** Replaces the code of the class if the constraint has its own reply. */
  readonly code?: string | undefined
  /** Replaces the status of the class. */
  readonly statusCode?: number | undefined
}

/** Only one class uses `nowait`; the others ignore it. */
const known: OptionChecks<DatabaseErrorOptions & { nowait?: boolean }> = {
  cause: anything,
  context: object,
  headers: object,
  retryAfterSeconds: [(value) => typeof value === 'number' && value >= 0, 'must be a number of seconds'],
  code: text,
  statusCode: [(value) => typeof value === 'number' && value >= 400 && value <= 599, 'must be a number from 400 to 599'],
  nowait: flag
}

/** The defaults of an error class; the options of an instance override them. */
export interface DatabaseErrorDefaults {
  readonly code: string
  readonly statusCode: number
  readonly message: string
  readonly retryable?: boolean
}

/**
 * The base of every error that this package throws, and the class of failures that have none of their own.
 *
 * Code, status and message may be shown to a client; `cause` and `context` are for the log.
 *
 * @example
 * ```ts
 * try {
 *   await repo.create(values)
 * } catch (error) {
 *   if (error instanceof UniqueViolationError) return reply.code(409).send({ message: 'Taken' })
 *   throw error
 * }
 * ```
 */
export class DatabaseError extends Error {
  static readonly defaults: DatabaseErrorDefaults = {
    code: 'DB_ERROR',
    statusCode: 500,
    message: 'The database could not carry out the request'
  }

  /** A stable code for programs, for example `DB_NOT_FOUND`. */
  readonly code: string
  /** The HTTP status that fits. */
  readonly statusCode: number
  /** Whether the same work may succeed if it is repeated from its beginning. */
  readonly retryable: boolean
  /** Reply headers that go with the status; Fastify sends them. */
  readonly headers: Record<string, string>
  /** Operation, table and columns, SQLSTATE and constraint, where they are known. */
  readonly context: ErrorContext

  constructor (message?: string, options: DatabaseErrorOptions = {}) {
    const { defaults, name } = new.target
    const complaint = message === undefined || typeof message === 'string' ? complaintOf(`new ${name}()`, options, known) : `new ${name}() takes a message, which is a text, and options`
    if (complaint !== undefined) throw new DatabaseError(complaint, { code: 'DB_USAGE' })
    const cause = withoutValues(options.cause)
    super(message ?? defaults.message, cause === undefined ? undefined : { cause })
    this.code = options.code ?? defaults.code
    this.statusCode = options.statusCode ?? defaults.statusCode
    this.retryable = defaults.retryable ?? false
    const retryAfterSeconds = options.retryAfterSeconds ?? (this.retryable ? 1 : undefined)
    this.headers = {
      ...options.headers,
      ...(retryAfterSeconds !== undefined && { 'retry-after': String(Math.ceil(retryAfterSeconds)) })
    }
    this.context = { ...options.context }
  }

  override get name (): string {
    return this.constructor.name
  }

  /** The part that a client may see, for code that builds its own error payload. */
  toJSON (): { code: string, message: string } {
    return { code: this.code, message: this.message }
  }
}
