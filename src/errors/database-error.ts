import { anything, complaintOf, flag, object, text } from '../runtime/option-checks.js'
import type { OptionChecks } from '../runtime/option-checks.js'
import { withoutValues } from './redact.js'

/** What an error tells of where it happened: names from the schema and from PostgreSQL's catalogue, never a value. */
export interface ErrorContext {
  readonly operation?: string
  readonly table?: string
  readonly columns?: readonly string[]
  readonly sqlState?: string
  readonly constraint?: string
  readonly column?: string
  /** Which of the rows given to a method that takes many, from 0. */
  readonly row?: number
  /** Of a commit whose answer was lost, for `pg_xact_status`. */
  readonly transactionId?: string
  /** The function in PostgreSQL's source that raised the error. */
  readonly routine?: string
}

/** What every error of this package takes after its message. */
export interface DatabaseErrorOptions {
  /**
   * The error behind this one; an answer of PostgreSQL carries its SQLSTATE in `cause.code`.
   *
   * What may hold values is kept out of the log: `cause.detail` and `cause.original` are there, but not enumerable.
   */
  readonly cause?: unknown
  readonly context?: ErrorContext | undefined
  /** Reply headers, besides `retry-after`. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Sent as `Retry-After`, in seconds; errors that are worth another attempt say 1 unless told otherwise. */
  readonly retryAfterSeconds?: number | undefined
  /** Instead of the class's own, where a constraint has words of its own. */
  readonly code?: string | undefined
  readonly statusCode?: number | undefined
}

/** `nowait` is of one class alone, and nothing to the others. */
const known: OptionChecks<DatabaseErrorOptions & { nowait?: boolean }> = {
  cause: anything,
  context: object,
  headers: object,
  retryAfterSeconds: [(value) => typeof value === 'number' && value >= 0, 'must be a number of seconds'],
  code: text,
  statusCode: [(value) => typeof value === 'number' && value >= 400 && value <= 599, 'must be a number from 400 to 599'],
  nowait: flag
}

/** What a class of errors says of itself unless an instance is told otherwise. */
export interface DatabaseErrorDefaults {
  readonly code: string
  readonly statusCode: number
  readonly message: string
  readonly retryable?: boolean
}

/**
 * The base of every error this package throws, and what a failure is that has no class of its own.
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

  /** A stable word for programs: `DB_NOT_FOUND` and friends. */
  readonly code: string
  /** The HTTP status that fits. */
  readonly statusCode: number
  /** Whether the same work may succeed when it is done again from its beginning. */
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

  /** What a client may see, for whoever puts an error into a payload by hand. */
  toJSON (): { code: string, message: string } {
    return { code: this.code, message: this.message }
  }
}
