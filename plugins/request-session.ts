import { TransactionClosedError } from '../src/errors/errors.js'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Database } from '../src/database.js'
import type { Session } from '../src/session/session.js'
import type { TransactionPlan } from './transaction-options.js'

/** Headers that describe a payload which is not sent after all. */
const payloadHeaders = ['content-encoding', 'etag', 'last-modified', 'cache-control', 'location']

/**
 * The session of one request, and how the reply decides its fate.
 *
 * Decided once: by the last `onSend` hook; or, where a reply goes past every hook (hijacked, ended by hand, abandoned by its
 * client), by the raw response's `close`, which comes in any case.
 */
export class RequestSession {
  readonly session: Session
  readonly plan: TransactionPlan
  /** Whether the route itself calls {@link settle}, last of its hooks; else the hook at the root does. */
  readonly isRouteSettled: boolean
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  #decided = false
  /** With `commit: 'onResponse'`: what the reply said when it was sent. */
  #commitLater = false

  constructor (database: Database, plan: TransactionPlan, { request, reply, isRouteSettled }: { request: FastifyRequest, reply: FastifyReply, isRouteSettled: boolean }) {
    this.plan = plan
    this.isRouteSettled = isRouteSettled
    this.#request = request
    this.#reply = reply
    this.session = database.lend(plan.settings, { logger: request.log, label: `${request.method} ${request.routeOptions.url ?? request.url}` })
    const { raw } = reply
    if (raw.headersSent || raw.destroyed) {
      this.session.abort(new TransactionClosedError('The reply was sent before: the statement was not run'))
    } else {
      raw.once('close', () => { this.#closed() })
      if (plan.commitsAfterResponse) raw.once('finish', () => { this.#settleLate() })
    }
  }

  /** Commits or rolls back as the reply says; what it throws becomes the reply. */
  async settle (payload: unknown, { failed }: { failed: boolean }): Promise<void> {
    if (this.#decided) return this.#replySentAgain()
    this.#decided = true
    const commits = !failed && !this.#isClientGone && this.plan.commitOn(this.#reply, payload)
    if (commits && this.plan.commitsAfterResponse) {
      this.#decided = false
      this.#commitLater = true
    } else if (!commits) {
      await this.#rollBack()
    } else if (!this.session.isRolledBack) {
      await this.#commit(payload)
    }
  }

  get #isClientGone (): boolean { return this.#reply.raw.destroyed || this.#request.raw.socket.destroyed }

  async #commit (payload: unknown): Promise<void> {
    try {
      await this.session.commit()
    } catch (error) {
      for (const header of payloadHeaders) this.#reply.removeHeader(header)
      discard(payload)
      throw error
    }
  }

  async #rollBack (): Promise<void> {
    await this.session.rollback()
    const { statusCode, log } = this.#reply
    if (this.session.outcome !== 'rolledBack') return
    if (statusCode < 400) log.warn({ statusCode }, `answered ${statusCode}, rolled back`)
    else log.debug({ statusCode }, 'rolled back')
  }

  /** Another hook failed after our commit, or the reply was sent twice: what was decided stands. */
  #replySentAgain (): void {
    const { statusCode, log } = this.#reply
    if (statusCode >= 500 && this.session.outcome === 'committed') log.error({ statusCode }, 'committed, response failed')
  }

  /** After the reply a failed commit can only be told to the log. */
  async #settleLate (): Promise<void> {
    if (this.#decided) return
    this.#decided = true
    if (!this.#commitLater) return await this.session.rollback()
    await this.session.commit().catch((error) => this.#reply.log.error({ err: error }, 'the commit after the reply failed'))
  }

  /** The last net: whatever has not been decided when the response is gone, is undone. */
  async #closed (): Promise<void> {
    const { raw, log } = this.#reply
    const isAnswered = raw.writableEnded
    if (this.#commitLater) return await this.#settleLate()
    if (this.#decided) {
      await this.session.rollback() // waits for what was decided
      if (!isAnswered && this.session.outcome === 'committed') log.warn('committed, but the client did not get the answer')
    } else if (!this.session.isSettled) {
      const wasOpen = this.session.outcome === 'open'
      this.session.abort(new TransactionClosedError('The client has left, or the response has ended: the statement was not run'))
      await this.session.rollback()
      if (!isAnswered) log.debug('the client left, rolled back')
      else if (wasOpen) log.error('response ended outside the lifecycle, rolled back')
    }
  }
}

/** Lets go of a payload that is not sent after all: a stream, or the body of a web Response. */
function discard (payload: unknown): void {
  if (typeof payload !== 'object' || payload === null) return
  if ('destroy' in payload && typeof payload.destroy === 'function') payload.destroy()
  const stream = payload instanceof Response ? payload.body : payload
  if (stream instanceof ReadableStream) stream.cancel().catch(() => {})
}
