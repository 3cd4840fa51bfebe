import type { Caller } from '../../src/statement/caller.js'
import type { FastifyRequest } from 'fastify'

/** The number of the attempt at its handler that runs now, from 1, if the route has `retries`. */
export const attemptNumber = Symbol('data-access.attempt-number')

/** Counts a statement of the request, if it has a budget, and returns the reason why it must not be sent, if any. */
export const spending = Symbol('data-access.spending')

declare module 'fastify' {
  interface FastifyRequest {
    [attemptNumber]?: number
    [spending]?: NonNullable<Caller['refuses']>
  }
}

/** The name of a request's route, for logs and messages. */
export function labelOf ({ method, routeOptions: { url = '(no route)' } }: FastifyRequest): string {
  return `${method} ${url}`
}
