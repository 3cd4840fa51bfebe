/**
 * The session of one request. The reply decides whether it commits.
 *
 *     undecided ──a reply reaches its last onSend hook──> deciding ──PostgreSQL has responded──> decided
 *         └────────────── the response ends or breaks without one ──────────────> rolled back
 *
 * *undecided*: nothing is settled. A reply that passes no hook (hijacked, ended by hand, abandoned by its client) ends here, on
 * the raw response's `close` event, which is always emitted.
 * *deciding*: COMMIT or ROLLBACK is running. A second reply (sent twice, thrown after the first was sent, the handler's time
 * limit) is dropped: the first reply follows the outcome.
 * *decided*: the reply is sent. If it cannot be sent (the commit failed, a later hook threw, a header cannot be written), an
 * error reply is sent instead; the decision stands.
 *
 * The session is settled before a stream starts. A stream is refused while a statement is running, because that statement could
 * not be committed. With `commit: 'atEnd'` it is *streaming* instead of *deciding*: the session stays open until the stream has
 * ended. The last piece or a broken connection then shows the client PostgreSQL's response.
 */
import { TransactionClosedError } from '../../src/errors/errors.js'
import { defaultName } from '../../src/settings/database-name.js'
import { clientGone, isClientGone, isOver } from './client-gone.js'
import { discard, guard, hasBroken, isStream, payloadHeaders } from './payload.js'
import { requireNothingFollows } from './nothing-follows.js'
import { keepFromWriting, letWrite, restore } from './reply-state.js'
import { RequestCaller } from './request-caller.js'
import { settingsOf, type TransactionPlan } from './transaction-plan.js'
import { StreamedReply } from './streamed-reply.js'
import { dropCallbacks } from './retry-states.js'
import { judge, logEnd, logLeft, mayCommit } from './verdict.js'
import type { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Database } from '../../src/database/database.js'
import type { Session } from '../../src/session/session.js'
import type { SessionGroup } from '../../src/session/session-group.js'
import type { SessionUnit } from '../../src/session/session-unit.js'
import type { Exchange, Passage } from './exchange.js'
import type { RetryStates } from './retry-states.js'
import type { DecidingReply, Verdict } from './verdict.js'

export class RequestSession {
  readonly session: Session
  /** The sessions of all databases, where the server has several. */
  readonly group: SessionGroup | undefined
  /** All sessions of the request: the reply commits them, or rolls them back. */
  readonly unit: SessionUnit
  readonly isDecidedByRoute: boolean
  readonly #plan: TransactionPlan
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  #state: 'undecided' | 'streaming' | 'deciding' | 'decided' | 'replaced' = 'undecided'
  #passage: Passage | undefined
  /** An error was raised: the next reply reports it. */
  #failed = false
  /** Another reply came while COMMIT or ROLLBACK was running. */
  #disturbed = false
  readonly #onClose = (): void => { this.#onResponseGone() }
  /** With `commit: 'atEnd'`. */
  #streamed: StreamedReply | undefined
  /** With `commit: 'onResponse'`: whether the reply commits. */
  #commitLater = false

  constructor (database: Database, plan: TransactionPlan, { request, reply, isDecidedByRoute, isLate, group }: Exchange) {
    this.isDecidedByRoute = isDecidedByRoute
    this.#plan = plan
    this.#request = request
    this.#reply = reply
    const caller = new RequestCaller(request)
    const settings = settingsOf(request, plan.settings, plan.context)
    this.session = group === undefined ? database.lend(settings, caller) : group.open(defaultName, 0, () => database.lend(settings, caller))
    this.group = group
    this.unit = group ?? this.session
    plan.carrier?.receive(request, this.session)
    const { raw } = reply
    if (isLate || raw.headersSent || isOver(raw)) {
      const isGone = isClientGone(request, reply) && !raw.writableEnded
      const tooLate = 'The reply was sent before: the statement was not run'
      this.unit.abort(isGone ? clientGone('the statement was not run') : new TransactionClosedError(tooLate))
    } else {
      raw.on('close', this.#onClose)
    }
  }

  /** Records an error before a reply is made of it; `false` if that reply comes too late to count. */
  fail (): boolean {
    if (this.#state === 'deciding') {
      this.#disturbed = true
      return false
    }
    this.#failed = true
    // The headers may be written at any moment: a reply about the error would come too late.
    if (this.#state === 'streaming') this.#streamed?.fail()
    return true
  }

  /** The stream that is sent in place of the payload, if any. */
  get replacement (): Readable | undefined { return this.#streamed?.body }

  /**
   * Commits or rolls back, depending on the reply. Returns `true` if there is nothing to wait for, otherwise a promise of whether
   * the reply may be sent. A rejection becomes the reply.
   */
  decide (passage: Passage): true | Promise<boolean> {
    const { payload, id, failed } = passage
    // If a route calls the not-found handler, the route's hook still runs, after the root hook.
    if (id === this.#passage?.id) return true
    if (this.#state !== 'undecided') return this.#isTaken ? this.#drop(payload) : this.#replace(payload)

    this.#passage = passage
    this.#failed = failed
    const verdict = judge(this.#plan, this.#deciding(payload))
    if (verdict.commits && !this.#plan.commitsAfterResponse && !isStream(payload) && this.unit.commitNow()) {
      this.#state = 'decided'
      return true
    }
    return this.#decide(payload, verdict)
  }

  async #decide (payload: unknown, verdict: Verdict): Promise<true> {
    guard(payload)
    try {
      if (verdict.commits && this.#commitsBehind(payload)) await this.#stream(payload).catch((error) => this.#undo(error))
      // A handler whose statement is cancelled by the rollback replies with that error: it must not count.
      else await this.#protected('decided', () => this.#carryOut(verdict, payload).catch((error) => this.#undo(error)))
    } catch (error) {
      this.#failed = true
      for (const header of payloadHeaders) this.#reply.removeHeader(header)
      discard(payload)
      throw error
    } finally {
      this.#plan.carrier?.send(this.#reply, this.session, this.#state === 'streaming')
    }
    return true
  }

  async #undo (error: unknown): Promise<never> {
    await this.unit.rollback()
    throw error
  }

  /** Commits when a handler has resolved successfully, before the reply is made, so that a conflict can still be repeated. */
  async commitEarly (payload: unknown): Promise<void> {
    const isEarly = !this.#plan.commitsAfterResponse && !this.#commitsBehind(payload) && !this.unit.isRolledBack
    if (!isEarly || !mayCommit(this.#plan, this.#deciding(payload))) return
    guard(payload)
    try {
      await this.#protected('undecided', () => this.#commit(payload))
    } catch (error) {
      discard(payload)
      throw error
    }
  }

  /** Runs a decision, and restores the reply afterwards if another one came meanwhile: the first decision counts. */
  async #protected (state: 'decided' | 'undecided', decide: () => Promise<void>): Promise<void> {
    const { statusCode } = this.#reply
    const headers = this.#reply.getHeaders()
    this.#state = 'deciding'
    this.#disturbed = false
    try {
      await decide()
    } catch (error) {
      // Fastify reads the status of an error only once, and has already read the status of the other error.
      if (this.#disturbed) Object.assign(headers, Object(error).headers)
      if (this.#disturbed) this.#restore({ statusCode: Object(error).statusCode ?? 500, headers })
      throw error
    } finally {
      this.#state = state
    }
    if (this.#disturbed) this.#restore({ statusCode, headers })
  }

  #restore (before: Parameters<typeof restore>[1]): void {
    letWrite(this.#reply.raw)
    restore(this.#reply, before)
  }

  /** Rolls back and leaves the reply to another attempt, which takes over the callbacks and `rollbackOnly()` of hooks; `false` if no other reply can be sent. */
  async leave (retryStates: RetryStates): Promise<boolean> {
    if (this.#state !== 'undecided' || this.#disturbed || isClientGone(this.#request, this.#reply)) return false
    this.#reply.raw.off('close', this.#onClose)
    dropCallbacks(this, retryStates)
    await this.unit.close()
    return true
  }

  /** Whether the transaction was committed, or may have been. */
  get hasCommitted (): boolean { return ['committed', 'unknown'].includes(this.unit.outcome) }

  #carryOut ({ commits, error }: Verdict, payload: unknown): Promise<void> {
    if (error !== undefined) return Promise.reject(error)
    if (!commits) return this.#rollBack(payload)
    if (this.#plan.commitsAfterResponse) this.#commitLater = !this.unit.isRolledBack
    return this.#plan.commitsAfterResponse || this.unit.isRolledBack ? Promise.resolve() : this.#commit(payload)
  }

  #commit (payload: unknown): Promise<void> {
    const mayBeFollowed = isStream(payload) && !this.unit.isSettled
    return mayBeFollowed ? requireNothingFollows(this.unit).then(() => this.unit.commit()) : this.unit.commit()
  }

  /** Whether the end of a payload waits for the commit. */
  #commitsBehind (payload: unknown): boolean {
    return this.#plan.commitsAtEnd && isStream(payload) && !this.unit.isSettled
  }

  async #stream (payload: unknown): Promise<void> {
    const streamed = new StreamedReply(payload, { request: this.#request, reply: this.#reply }, {
      commit: () => this.#protected('decided', () => this.unit.commit()),
      rollback: () => this.#giveUp()
    })
    this.#streamed = streamed
    if (streamed.isBodiless) {
      return await this.#protected('decided', async () => {
        await streamed.readSource()
        await this.unit.commit()
      })
    }
    this.#state = 'streaming'
    streamed.start()
  }

  /** Rolls back because a stream failed before its end. */
  async #giveUp (): Promise<string> {
    this.#state = 'decided'
    this.#failed = true
    await this.unit.rollback()
    return this.unit.outcome
  }

  /** Whether the deciding reply is, or will be, on the wire: it has not failed, or its headers were sent. */
  get #isTaken (): boolean {
    return this.#state === 'deciding' || this.#state === 'streaming' || (this.#state === 'decided' && !this.#failed) || this.#reply.raw.headersSent
  }

  #deciding (payload: unknown): DecidingReply {
    return { request: this.#request, reply: this.#reply, payload, failed: this.#failed }
  }

  async #rollBack (payload: unknown): Promise<void> {
    await this.unit.rollback()
    logEnd(this.unit.outcome, this.#reply, payload)
  }

  async #drop (payload: unknown): Promise<false> {
    if (payload !== this.#passage?.payload) discard(payload)
    if (this.#state === 'deciding') {
      this.#disturbed = true
      keepFromWriting(this.#reply.raw)
    }
    this.#reply.log.warn('a second reply was made and not sent: the first one decided')
    return false
  }

  /** Replaces the deciding reply by an error. */
  async #replace (payload: unknown): Promise<true> {
    if (this.#commitLater) {
      this.#commitLater = false
      await this.#rollBack(payload)
    }
    if (this.#state === 'decided' && this.unit.outcome === 'committed') this.#logFailedReply()
    this.#state = 'replaced'
    return true
  }

  #logFailedReply (): void {
    this.#reply.log.error({ statusCode: this.#reply.statusCode }, 'committed, response failed')
  }

  #onResponseGone (): void {
    const isAnswered = this.#reply.raw.writableEnded
    const reason = (): Error => isAnswered ? new TransactionClosedError('The response has ended: the stream was ended') : clientGone('the stream was ended')
    this.unit.endStreams(reason)
    this.#streamed?.discard()
    const isDone = this.#state === 'decided' && !this.#commitLater && this.#reply.raw.writableEnded
    if (!isDone) this.#closed()
  }

  /** Called when the response is closed; rolls back unless the session is decided. */
  async #closed (): Promise<void> {
    const { raw: { writableEnded: isAnswered }, log } = this.#reply
    if (this.#commitLater) {
      await this.unit.commit().catch((error) => log.error({ err: error }, 'the commit after the reply failed'))
    } else if (this.#state === 'undecided' || this.#state === 'streaming') {
      if (this.unit.isSettled) return
      const wasOpen = this.unit.outcome === 'open'
      this.unit.abort(isAnswered ? new TransactionClosedError('The response has ended: the statement was not run') : clientGone('nothing was saved'))
      await this.unit.rollback()
      if (!isAnswered) logLeft(this.unit.outcome, log)
      else if (wasOpen) log.error('response ended outside the lifecycle, rolled back')
    } else if (!isAnswered) {
      // It has no effect once COMMIT was sent; then the outcome stands.
      this.unit.abort(clientGone('nothing was saved'))
      await this.unit.rollback()
      if (this.unit.outcome !== 'committed') return
      if (hasBroken(this.#passage?.payload)) this.#logFailedReply()
      else logLeft(this.unit.outcome, log)
    }
  }
}
