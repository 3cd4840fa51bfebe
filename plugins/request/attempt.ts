/**
 * Finds the attempt of a repeated handler to which a caller belongs, at any depth of calls.
 *
 * Work that a failed attempt left running must not use the transaction of the next attempt: its request gives it the session of
 * its own attempt, which has ended. The async context is entered on routes with `retries` only, and left when the request's last
 * session is settled.
 */
import { AsyncContext } from '../../src/runtime/async-context.js'
import { isOver } from './client-gone.js'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { RequestSession } from './request-session.js'

const context = new AsyncContext<Attempt>()

/** One run of a handler. */
export class Attempt {
  readonly request: FastifyRequest
  /** The attempt around this one: a handler may call another route by `inject`. */
  readonly outer = context.current
  /** The session of the attempt, once the attempt is over. */
  left: RequestSession | undefined
  /** Whether work that a hook left running also used its session. */
  isShared = false

  constructor (request: FastifyRequest) {
    this.request = request
  }

  /** Runs the handler in an async context of its own. */
  run<Result> (handle: () => Promise<Result>): Promise<Result> {
    return context.run(this, handle)
  }
}

/** The caller's attempt for this request. */
export function attemptAt (request: FastifyRequest): Attempt | undefined {
  for (let attempt = context.current; attempt !== undefined; attempt = attempt.outer) {
    if (attempt.request === request) return attempt
  }
  return undefined
}

/** Tracks attempts until the reply is closed and the last session is settled. */
export function keepApart ({ raw }: FastifyReply, settled: () => Promise<void>): void {
  const leave = context.enter()
  const close = async (): Promise<void> => {
    // The session's own listener for the end of the reply may be called after this one.
    await Promise.resolve()
    await settled()
    leave()
  }
  if (isOver(raw)) close()
  else raw.once('close', close)
}
