/**
 * Repeats a route's handler after a conflict (40001, 40P01) as long as no reply is on its way: in a new transaction, with the status
 * and headers that the reply had before.
 *
 * Only the handler is repeated, not the hooks. The work of hooks in the transaction is treated as follows:
 * - A statement of a hook was rolled back and would not run again: the route is not repeated. A savepoint after the hooks'
 *   statements would not help: a serializable transaction needs a new snapshot, COMMIT itself may fail, and a transaction that
 *   returns to a savepoint keeps its earlier locks, which would cause the next deadlock.
 * - Callbacks of hooks, and `rollbackOnly()`, pass to the session of the next attempt: `beforeCommit` is how a hook writes in the
 *   transaction that is finally committed.
 * - Plain reads under READ COMMITTED leave nothing in the transaction, and have no effect here.
 */
import { TransactionClosedError } from '../../src/errors/errors.js'
import { pauseBefore } from '../../src/runtime/backoff.js'
import { isConflict, retryBackoff, tellRetry } from '../../src/session/retry.js'
import { Attempt, keepApart } from './attempt.js'
import { isClientGone } from './client-gone.js'
import { attemptNumber, labelOf } from '../telemetry/request-marks.js'
import { restore } from './reply-state.js'
import type { FastifyRequest, RouteHandlerMethod } from 'fastify'
import { retryStatesOf } from './retry-states.js'
import type { RequestSession } from './request-session.js'
import type { RetryStates } from './retry-states.js'

const notRepeated = 'a transaction collided with another one and is not repeated, because a hook had used it: hooks are not run again, but callbacks that they give to request.db.beforeCommit() are'

/** How a route's handler is repeated. */
export interface Repetition {
  /** Repetitions after the first attempt. */
  readonly retries: number
  /** Whether BEGIN comes before the handler. */
  readonly beginsOnRequest: boolean
  /** The request's session, if there is one. */
  sessionOf (request: FastifyRequest): RequestSession | undefined
  /** Sets the running attempt; `undefined` between two attempts. */
  enter (request: FastifyRequest, attempt: Attempt | undefined): void
  /** Gives the request a session for the next attempt. */
  renew (request: FastifyRequest, retryStates: RetryStates): void
}

/**
 * Makes a handler that is repeated.
 *
 * COMMIT is sent when the handler has resolved with its payload, before the payload is serialized; later it could not be repeated.
 * A handler that calls `reply.send` commits as without retries.
 *
 * Work that an attempt left running still uses its own transaction, which has ended: it is refused.
 */
export function repeating (handler: RouteHandlerMethod, { retries, beginsOnRequest, sessionOf, enter, renew }: Repetition): RouteHandlerMethod {
  return async function (request, reply) {
    const before = { statusCode: reply.statusCode, headers: reply.getHeaders() }
    const isKnownToHooks = sessionOf(request) !== undefined
    let collision: unknown
    keepApart(reply, async () => sessionOf(request)?.unit.rollback())

    const handle = async (): Promise<unknown> => {
      if (beginsOnRequest) await request.db.begin()
      const payload: unknown = await handler.call(this, request, reply)
      if (payload !== reply && payload !== undefined) await sessionOf(request)?.commitEarly(payload)
      return payload
    }

    const tryFor = async (repetition: number): Promise<unknown> => {
      const atFirst = sessionOf(request)
      const [isUsed, retryStates] = [atFirst?.unit.isUsed, retryStatesOf(atFirst)]
      const attempt = new Attempt(request)
      enter(request, attempt)
      request[attemptNumber] = repetition
      try {
        return await attempt.run(handle)
      } catch (error) {
        const work = sessionOf(request)
        // An object that a hook has made, such as a repository, always belongs to the first attempt.
        if (collision !== undefined && isKnownToHooks && error instanceof TransactionClosedError && work?.hasCommitted === false) throw collision
        if (repetition > retries || !isConflict(error)) throw error
        if (isUsed === true || attempt.isShared) {
          request.log.warn({ err: error, attempt: repetition }, notRepeated)
          throw error
        }
        attempt.left = work
        if (await work?.leave(retryStates) !== true) throw error
        collision = error
        enter(request, undefined)
        renew(request, retryStates)
        tellRetry(error, { place: request.server.db.host.place, route: labelOf(request), attempt: repetition })
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
