import { STATUS_CODES } from 'node:http'
import { DatabaseError } from './errors.js'
import { checkCall } from './check-call.js'
import { anything } from '../runtime/option-checks.js'

/** A successful reply, in the envelope. */
export interface SuccessReply<T, Meta = unknown> {
  success: true
  data: T
  message?: string
  meta?: Meta
}

/** One problem with a request. */
export interface FailureDetail {
  /** The part of the request: `body`, `querystring`, `params` or `headers`. */
  in?: string
  /** JSON Pointer of the value within that part; empty for the part itself. */
  path?: string
  message?: string
}

/** An error reply, in the envelope. */
export interface FailureReply {
  success: false
  error: { code: string, message: string, details?: FailureDetail[] }
  requestId?: string
}

/** An error reply in the format of RFC 9457: `application/problem+json`. */
export interface ProblemReply {
  type: 'about:blank'
  title: string
  status: number
  detail: string
  instance?: string
  code: string
  details?: FailureDetail[]
  requestId?: string
}

/** The parts of {@link success} besides the data. */
export interface SuccessOptions<Meta> {
  readonly message?: string | undefined
  readonly meta?: Meta | undefined
}

/** The parts of an error reply besides the error. */
export interface FailureOptions {
  /** The id under which the log has the failure. */
  readonly requestId?: string | undefined
  /** The HTTP status, for errors without their own. @defaultValue `500` */
  readonly statusCode?: number | undefined
}

/** {@link FailureOptions}, and RFC 9457's reference to the occurrence. */
export interface ProblemOptions extends FailureOptions {
  /** URI reference of the requested resource. */
  readonly instance?: string | undefined
}

const anyText = [(value: unknown) => typeof value === 'string', 'must be a text'] as const
const failureOptions = {
  requestId: anyText,
  statusCode: [(value: unknown) => typeof value === 'number' && value >= 400 && value <= 599, 'must be a number from 400 to 599'] as const
}

/**
 * The envelope of a successful reply.
 *
 * @throws {UsageError} for an unknown or invalid option
 * @example
 * ```ts
 * const { items, ...meta } = await request.repo(users).paginate()
 * return success(items, { meta })
 * ```
 */
export function success<T, Meta = unknown> (data: T, options: SuccessOptions<Meta> = {}): SuccessReply<T, Meta> {
  checkCall('success()', options, { message: anyText, meta: anything })
  const { message, meta } = options
  return { success: true, data, ...(message !== undefined && { message }), ...(meta !== undefined && { meta }) }
}

/**
 * The envelope of an error reply; set the status of the reply by {@link statusOf}.
 *
 * Errors of this package keep their code and message. Others keep theirs below status 500; from 500 on, both are generic.
 *
 * @throws {UsageError} for an unknown or invalid option
 */
export function failure (error: unknown, options: FailureOptions = {}): FailureReply {
  checkCall('failure()', options, failureOptions)
  const { code, message, details } = publicPart(error, statusOf(error, options.statusCode))
  return { success: false, error: { code, message, ...details }, ...requestIdOf(options) }
}

/** The same as {@link failure} in the format of RFC 9457, for `application/problem+json`. @throws {UsageError} for an unknown or invalid option */
export function problem (error: unknown, options: ProblemOptions = {}): ProblemReply {
  checkCall('problem()', options, { ...failureOptions, instance: anyText })
  const status = statusOf(error, options.statusCode)
  const { code, message, details } = publicPart(error, status)
  return {
    type: 'about:blank',
    title: phraseOf(status),
    status,
    detail: message,
    ...(options.instance !== undefined && { instance: options.instance }),
    code,
    ...details,
    ...requestIdOf(options)
  }
}

/** The HTTP status of an error: its own, or else `otherwise`. */
export function statusOf (error: unknown, otherwise = 500): number {
  for (const key of ['statusCode', 'status']) {
    const status = propertyOf(error, key)
    if (typeof status === 'number' && status >= 400 && status <= 599) return status
  }
  return otherwise
}

interface PublicPart {
  readonly code: string
  readonly message: string
  readonly details?: { details: FailureDetail[] }
}

function publicPart (error: unknown, status: number): PublicPart {
  if (error instanceof DatabaseError) return { code: error.code, message: error.message }
  const message = propertyOf(error, 'message')
  const generic = { code: codeOf(status), message: phraseOf(status) }
  if (status >= 500 || typeof message !== 'string') return generic
  const code = propertyOf(error, 'code')
  const problems = propertyOf(error, 'validation')
  return {
    code: typeof code === 'string' ? code : generic.code,
    message,
    ...(Array.isArray(problems) && { details: { details: detailsOf(problems, propertyOf(error, 'validationContext')) } })
  }
}

/** The problems that Ajv, or a validator like it, found. */
function detailsOf (problems: readonly unknown[], part: unknown): FailureDetail[] {
  return problems.map((found) => {
    const path = propertyOf(found, 'instancePath')
    const message = propertyOf(found, 'message')
    return {
      ...(typeof part === 'string' && { in: part }),
      ...(typeof path === 'string' && { path }),
      ...(typeof message === 'string' && { message })
    }
  })
}

function requestIdOf ({ requestId }: FailureOptions): { requestId?: string } {
  return requestId === undefined ? {} : { requestId }
}

function propertyOf (value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
}

function phraseOf (status: number): string {
  return STATUS_CODES[status] ?? 'Unknown Error'
}

/** The code for a status: `NOT_FOUND` for `Not Found`. */
function codeOf (status: number): string {
  return phraseOf(status).toUpperCase().replaceAll(/[^A-Z]+/g, '_')
}
