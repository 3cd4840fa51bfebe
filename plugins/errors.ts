import fp from 'fastify-plugin'
import type { FastifyInstance, FastifyReply, FastifyRequest, preSerializationAsyncHookHandler } from 'fastify'
import type { ConstraintMap } from '../src/errors/constraint-words.js'
import { DatabaseError } from '../src/errors/errors.js'
import { failure, problem, statusOf } from '../src/errors/http-replies.js'
import { checkErrorOptions } from '../src/settings/error-options.js'
import { explainBigint } from './unserializable.js'
import type { ErrorForm } from './crud/error-schemas.js'

/** How errors are sent to clients. */
export interface ErrorsOptions {
  /**
   * `'fastify'`: no error handler is set; Fastify's own sends the package's errors as they are.
   * `'envelope'`: `{ success: false, error: { code, message, details? }, requestId }`.
   * `'problem'`: RFC 9457, `application/problem+json`.
   * @defaultValue `'fastify'`
   */
  readonly format?: 'fastify' | 'envelope' | 'problem' | undefined
  /** Status, code and message for violations of the named constraints; applied when the error is made. With a schema, names that no constraint has are a warning in the log. */
  readonly constraints?: ConstraintMap | undefined
}

/** The part of the common options that this plugin reads. */
export interface ErrorsPluginOptions {
  readonly errors?: ErrorsOptions | undefined
}

type ErrorHandler = FastifyInstance['errorHandler']

interface WireFormat {
  readonly contentType: string
  readonly write: (error: unknown, request: FastifyRequest, statusCode: number) => object
}

const formats: Readonly<Record<NonNullable<ErrorsOptions['format']>, WireFormat | undefined>> = {
  fastify: undefined,
  envelope: {
    contentType: 'application/json; charset=utf-8',
    write: (error, { id: requestId }, statusCode) => failure(error, { requestId, statusCode })
  },
  problem: {
    contentType: 'application/problem+json; charset=utf-8',
    write: (error, request, statusCode) => problem(error, { requestId: request.id, instance: request.url.replace(/\?.*/s, ''), statusCode })
  }
}

/**
 * Sends errors in the chosen format; with the default format, Fastify handles everything.
 *
 * An error handler set earlier keeps every error except the package's. If there was only Fastify's own, all errors are formatted,
 * and so is Fastify's reply to a route that does not exist; the server's own not-found handler keeps its replies. Register this
 * plugin after the error handler that it should respect. Fastify then warns that a handler is set twice in one scope (FSTWRN004),
 * and refuses it with `allowErrorHandlerOverride: false`.
 *
 * @throws {SettingsError} for an unknown format, and for a constraint's status that is not an error status
 */
async function plugin (fastify: FastifyInstance, { errors = {} }: ErrorsPluginOptions): Promise<void> {
  checkErrorOptions(errors)
  const { format = 'fastify' } = errors
  fastify.addHook('onError', explainBigint)
  const wire = formats[format]
  if (wire === undefined) return

  const before = fastify.errorHandler
  const handlesAll = isFastifysOwn(before)

  fastify.setErrorHandler((error: unknown, request, reply) => {
    if (!handlesAll && !(error instanceof DatabaseError)) {
      return handOver(before, { error, request, reply })
    }
    const statusCode = statusOf(error, reply.statusCode < 400 ? 500 : reply.statusCode)
    reply.code(statusCode).headers(headersOf(error)).type(wire.contentType)
    log(error, request, reply)
    reply.send(wire.write(error, request, statusCode))
  })
  formsOfHandlers.set(fastify.errorHandler, format)

  if (handlesAll) fastify.addHook('preSerialization', notFoundIn(wire))
}

/** The form of the errors that each handler of this plugin sends. */
const formsOfHandlers = new WeakMap<ErrorHandler, ErrorForm>()

/** The form of the errors that a scope sends, for its schemas: one of this package's, Fastify's, or that of a handler of the program's own. */
export function errorFormOf ({ errorHandler }: FastifyInstance): ErrorForm {
  return formsOfHandlers.get(errorHandler) ?? (isFastifysOwn(errorHandler) ? 'fastify' : 'own')
}

/** Fastify's reply to a route that does not exist is not an error object: it is recognized by its text. */
function notFoundIn ({ contentType, write }: WireFormat): preSerializationAsyncHookHandler {
  return async (request, reply, payload) => {
    if (!request.is404 || !isFastifysNotFound(payload, request)) return payload
    reply.type(contentType)
    return write(payload, request, 404)
  }
}

function isFastifysNotFound (payload: unknown, { raw: { method, url } }: FastifyRequest): boolean {
  return typeof payload === 'object' && payload !== null && 'message' in payload &&
    payload.message === `Route ${method}:${url} not found`
}

/** The server's own handler is bound to its instance, so its name starts with `bound`. */
function isFastifysOwn (handler: ErrorHandler): boolean {
  return handler.name === 'defaultErrorHandler'
}

/** An error that is sent again goes to the earlier handler. Any other thrown value would be sent as a payload. */
function handOver (before: ErrorHandler, { error, request, reply }: { error: unknown, request: FastifyRequest, reply: FastifyReply }): void {
  if (error instanceof Error) reply.send(error)
  else return before(error, request, reply)
}

function headersOf (error: unknown): object {
  return error instanceof Error && 'headers' in error ? Object(error.headers) : {}
}

/** Logs each failure in one line, as Fastify's own error handler does. */
function log (error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { disableRequestLogging: silent } = request.server.initialConfig
  if (typeof silent === 'function' ? silent(request) : silent) return
  const message = error instanceof Error ? error.message : undefined
  if (reply.statusCode >= 500) reply.log.error({ req: request, res: reply, err: error }, message)
  else reply.log.info({ res: reply, err: error }, message)
}

/** {@inheritDoc plugin} */
export const errorsPlugin = fp(plugin, { fastify: '5.x', name: 'data-access/errors' })
