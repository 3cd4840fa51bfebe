/**
 * A route's handler, run again when the request's transaction failed for its company (40001, 40P01), as long as no reply is on its
 * way: with a new transaction, and with the status and headers that the reply had before.
 *
 * The handler alone is run again; hooks are not. So what hooks have done in the transaction decides:
 * - A statement of theirs went down with it, and nobody would send it again: the route is not repeated. A savepoint behind their
 *   statements would not do. PostgreSQL's order of serializable transactions cannot be had with an old snapshot, COMMIT may be
 *   what fails, and whoever goes back to a savepoint keeps the locks that he had before it, over which the next deadlock comes.
 * - Callbacks that they have registered, and `rollbackOnly()`, go on to the session of the next attempt: `beforeCommit` is how a
 *   hook writes in whichever transaction is committed.
 * - Plain reads under READ COMMITTED have left nothing in it, and change nothing.
 */
import { TransactionClosedError } from '../../src/errors/errors.js'
import { pauseBefore } from '../../src/runtime/backoff.js'
import { isConflict, retryBackoff } from '../../src/session/retry.js'
import { Attempt, keepApart } from './attempt.js'
import { isClientGone } from './client-gone.js'
import { restore } from './reply-state.js'
import type { FastifyRequest, RouteHandlerMethod } from 'fastify'
import type { Wishes } from '../../src/session/session.js'
import type { RequestSession } from './request-session.js'

/** How a route's handler is repeated. */
export interface Repetition {
  /** Repetitions after the first attempt. */
  readonly retries: number
  /** Whether BEGIN comes before the handler. */
  readonly beginsOnRequest: boolean
  /** The session that the request has used, if it has. */
  sessionOf (request: FastifyRequest): RequestSession | undefined
  /** Says which attempt runs, `undefined` between two. */
  enter (request: FastifyRequest, attempt: Attempt | undefined): void
  /** Gives the request a session for the next attempt. */
  renew (request: FastifyRequest, wishes: Wishes | undefined): void
}

/**
 * A handler that is repeated.
 *
 * COMMIT comes when the handler has resolved with its payload, before that is serialized; otherwise it would be too late to
 * try again. A handler that answers with `reply.send` commits as without retries.
 *
 * What an attempt left running goes on to mean its own transaction, which has ended: it is refused.
 */
export function repeating (handler: RouteHandlerMethod, { retries, beginsOnRequest, sessionOf, enter, renew }: Repetition): RouteHandlerMethod {
  return async function (request, reply) {
    const before = { statusCode: reply.statusCode, headers: reply.getHeaders() }
    const isKnownToHooks = sessionOf(request) !== undefined
    let collision: unknown
    keepApart(reply, async () => sessionOf(request)?.session.rollback())

    const handle = async (): Promise<unknown> => {
      if (beginsOnRequest) await request.db.begin()
      const payload: unknown = await handler.call(this, request, reply)
      if (payload !== reply && payload !== undefined) await sessionOf(request)?.commitEarly(payload)
      return payload
    }

    const tryFor = async (repetition: number): Promise<unknown> => {
      const atFirst = sessionOf(request)?.session
      const [isUsed, wishes] = [atFirst?.isUsed, atFirst?.wishes()]
      const attempt = new Attempt(request)
      enter(request, attempt)
      try {
        return await attempt.run(handle)
      } catch (error) {
        const work = sessionOf(request)
        // What a hook has made, a repository say, means the first attempt for ever.
        if (collision !== undefined && isKnownToHooks && error instanceof TransactionClosedError && work?.hasCommitted === false) throw collision
        if (repetition > retries || !isConflict(error)) throw error
        if (isUsed === true || attempt.isShared) {
          request.log.warn({ err: error, attempt: repetition }, 'a transaction collided with another one and is not repeated, because a hook had used it: hooks are not run again, but what they give to request.db.beforeCommit() is')
          throw error
        }
        attempt.left = work
        if (await work?.leave(wishes) !== true) throw error
        collision = error
        enter(request, undefined)
        renew(request, wishes)
        request.log.warn({ err: error, attempt: repetition }, 'a transaction collided with another one and is repeated')
      }
      await pauseBefore(repetition, retryBackoff)
      if (isClientGone(request, reply)) throw collision
      restore(reply, before)
      return await tryFor(repetition + 1)
    }
    return await tryFor(1)
  }
}
