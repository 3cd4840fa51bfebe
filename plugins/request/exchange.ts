import type { FastifyReply, FastifyRequest } from 'fastify'
import type { SessionGroup } from '../../src/session/session-group.js'

/** The request and the reply that a session belongs to. */
export interface Exchange {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  /** Whether the route's last hook calls {@link RequestSession.decide}; otherwise the root hook does. */
  readonly isDecidedByRoute: boolean
  /** Whether the reply has passed that hook, so that a later failure could not be reported to the client. */
  readonly isLate: boolean
  /** On a server with several databases. */
  readonly group: SessionGroup | undefined
}

/** A reply on its way through the `onSend` hooks. */
export interface Passage {
  readonly payload: unknown
  /** The same value for all hooks of one passage. */
  readonly id: unknown
  /** Whether an error has been raised for this request. */
  readonly failed: boolean
}
