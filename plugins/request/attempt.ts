/**
 * Which attempt of a repeated handler a caller belongs to, however deep its calls go.
 *
 * Work that a failed attempt left running must not meet the transaction of the next one: what it asks of its request is
 * answered by the session that has ended with its own attempt. The async context is entered on routes with `retries` only, and
 * left when the request's last session is settled.
 */
import { AsyncContext } from '../../src/runtime/async-context.js'
import { isOver } from './client-gone.js'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { RequestSession } from './request-session.js'

const context = new AsyncContext<Attempt>()

/** One run of a handler. */
export class Attempt {
  readonly request: FastifyRequest
  /** The attempt in which this one was made: a handler may ask another route by `inject`. */
  readonly outer = context.current
  /** The session that it used, once that is over. */
  left: RequestSession | undefined
  /** Whether somebody else used its session meanwhile: work that a hook left running. */
  isShared = false

  constructor (request: FastifyRequest) {
    this.request = request
  }

  /** Runs the handler in a context of its own. */
  run<Result> (handle: () => Promise<Result>): Promise<Result> {
    return context.run(this, handle)
  }
}

/** The attempt at answering a request that the caller belongs to. */
export function attemptAt (request: FastifyRequest): Attempt | undefined {
  for (let attempt = context.current; attempt !== undefined; attempt = attempt.outer) {
    if (attempt.request === request) return attempt
  }
  return undefined
}

/** Keeps attempts apart until the reply is gone, and what the last of them did is settled. */
export function keepApart ({ raw }: FastifyReply, settled: () => Promise<void>): void {
  const leave = context.enter()
  const close = async (): Promise<void> => {
    // The session's own listener for the end of the reply may come behind this one.
    await Promise.resolve()
    await settled()
    leave()
  }
  if (isOver(raw)) close()
  else raw.once('close', close)
}
