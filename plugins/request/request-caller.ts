import type { FastifyRequest } from 'fastify'
import type { CallSite } from '../../src/statement/call-site.js'
import type { Caller } from '../../src/statement/caller.js'
import type { Logger } from '../../src/runtime/logger.js'

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

/** A request as the caller of the pool. Its label is used only in the log. */
export class RequestCaller implements Caller {
  readonly logger: Logger
  callSite: CallSite | undefined = undefined
  within: Caller | undefined = undefined
  readonly request: FastifyRequest

  constructor (request: FastifyRequest) {
    this.logger = request.log
    this.request = request
  }

  get refuses (): Caller['refuses'] { return this.request[spending] }

  get attempt (): number { return this.request[attemptNumber] ?? 1 }

  get label (): string { return `${this.request.method} ${this.request.routeOptions.url ?? '(no route)'}` }
}
