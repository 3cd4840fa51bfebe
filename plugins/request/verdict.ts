import { UsageError } from '../../src/errors/errors.js'
import { isClientGone } from './client-gone.js'
import { isResponse } from './payload.js'
import { statusOf } from './transaction-plan.js'
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import type { SessionOutcome } from '../../src/session/session-unit.js'
import type { TransactionPlan } from './transaction-plan.js'

/** A reply that decides whether the transaction commits. */
export interface DecidingReply {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly payload: unknown
  /** Whether an error was raised for the request. */
  readonly failed: boolean
}

/** Whether a reply commits; `error` if that cannot be decided. */
export interface Verdict {
  readonly commits: boolean
  readonly error?: unknown
}

/** Decides whether a reply commits. */
export function judge (plan: TransactionPlan, deciding: DecidingReply): Verdict {
  try {
    return { commits: mayCommit(plan, deciding) }
  } catch (error) {
    return { commits: false, error }
  }
}

/** Whether a reply commits. @throws the error of `commitOn`, and {@link UsageError} if it returns no boolean */
export function mayCommit ({ commitOn }: TransactionPlan, { request, reply, payload, failed }: DecidingReply): boolean {
  if (failed || isClientGone(request, reply)) return false
  // Fastify gives a reply the status of a web Response only behind all hooks, and `commitOn` decides by the status.
  if (isResponse(payload)) reply.code(payload.status)
  const commits = commitOn(reply, payload)
  if (typeof commits !== 'boolean') throw new UsageError('transaction.commitOn must return true or false (not a promise of it)')
  return commits
}

/** Writes to the log that the client has left, and what became of the transaction. */
export function logLeft (outcome: SessionOutcome, log: FastifyBaseLogger): void {
  if (outcome === 'committed') log.warn('committed, but the client did not get the answer')
  else log.debug('the client left, rolled back')
}

/** Writes to the log that a reply rolled the transaction back, or that it could not, because a single write had committed before. */
export function logEnd (outcome: SessionOutcome, reply: FastifyReply, payload: unknown): void {
  const { log } = reply
  const statusCode = statusOf(reply, payload)
  if (outcome === 'committed') return log.warn({ statusCode }, `answered ${statusCode}, and the single write stays`)
  if (outcome !== 'rolledBack') return
  if (statusCode < 400) log.warn({ statusCode }, `answered ${statusCode}, rolled back`)
  else log.debug({ statusCode }, 'rolled back')
}
