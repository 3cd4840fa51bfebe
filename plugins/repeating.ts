import { isConflict, pauseBefore } from '../src/session/retry.js'
import { Attempt, keepApart } from './attempts.js'
import { isClientGone } from './gone.js'
import type { FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify'
import type { RequestSession } from './request-session.js'

/** How a route's handler is repeated. */
export interface Repetition {
  /** Repetitions after the first attempt. */
  readonly retries: number
  /** The session that the attempt has used, if it has. */
  sessionOf (request: FastifyRequest): RequestSession | undefined
  /** Lets the next attempt begin with a session of its own. */
  renew (request: FastifyRequest): void
}

/**
 * A handler that is run again when the request's transaction failed for its company (40001, 40P01), as long as no reply is on
 * its way: with a new transaction, and with the status and headers that the reply had before.
 *
 * COMMIT comes when the handler has resolved with its payload, before that is serialized; otherwise it would be too late to
 * try again. A handler that answers with `reply.send` commits as without retries.
 *
 * What an attempt left running goes on to mean its own transaction, which has ended: it is refused.
 */
export function repeating (handler: RouteHandlerMethod, { retries, sessionOf, renew }: Repetition): RouteHandlerMethod {
  return async function (request, reply) {
    const before = { statusCode: reply.statusCode, headers: reply.getHeaders() }
    keepApart(reply, async () => sessionOf(request)?.session.rollback())
    const handle = async (): Promise<unknown> => {
      const payload: unknown = await handler.call(this, request, reply)
      if (payload !== reply && payload !== undefined) await sessionOf(request)?.commitEarly(payload)
      return payload
    }
    for (let repetition = 1; repetition <= retries; repetition++) {
      const attempt = new Attempt(request)
      try {
        return await attempt.run(handle)
      } catch (error) {
        attempt.left = sessionOf(request)
        if (!isConflict(error) || await attempt.left?.leave() !== true) throw error
        request.log.warn({ err: error, attempt: repetition }, 'a transaction collided with another one and is repeated')
        await pauseBefore(repetition)
        if (isClientGone(request, reply)) throw error
      }
      renew(request)
      restore(reply, before)
    }
    return await new Attempt(request).run(handle)
  }
}

/** The reply says again what it said before. */
export function restore (reply: FastifyReply, { statusCode, headers }: { statusCode: number, headers: ReturnType<FastifyReply['getHeaders']> }): void {
  for (const name of Object.keys(reply.getHeaders())) reply.removeHeader(name)
  reply.code(statusCode).headers(headers)
}
