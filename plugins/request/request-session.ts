/**
 * The session of one request, and how the reply decides its fate.
 *
 *     undecided ──a reply reaches its last onSend hook──> deciding ──PostgreSQL has answered──> decided
 *         └────────────── the response ends or breaks without one ──────────────> rolled back
 *
 * *undecided*: nothing is settled. Replies that go past every hook (hijacked, ended by hand, abandoned by their client) end
 * here, by the raw response's `close`, which comes in any case.
 * *deciding*: COMMIT or ROLLBACK is on its way. Another reply that comes meanwhile (sent twice, thrown after it was sent, the
 * handler's time limit) is dropped: the answer follows the outcome.
 * *decided*: the reply goes on to the wire. Where it cannot (a commit that failed, a hook after ours that threw, a header that
 * cannot be written), an error takes its place, and passes; what was decided stands.
 *
 * A stream is settled before it starts, and refused while the session is at work: what its handler goes on to do could not be kept.
 * With `commit: 'atEnd'` it is *streaming* instead of *deciding*: the session stays open until the stream has ended, and the last
 * piece of it, or the connection, tells the client what PostgreSQL has answered.
 */
import { TransactionClosedError } from '../../src/errors/errors.js'
import { clientGone, isClientGone, isOver } from './client-gone.js'
import { discard, guard, hasBroken, isStream, payloadHeaders } from './payload.js'
import { seeNothingFollow } from './nothing-follows.js'
import { keepFromWriting, letWrite } from './raw-writes.js'
import { restore } from './reply-state.js'
import { RequestCaller } from './request-caller.js'
import { StreamedReply } from './streamed-reply.js'
import { judge, logRollback, mayCommit } from './verdict.js'
import type { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Database } from '../../src/database/database.js'
import type { Session, Wishes } from '../../src/session/session.js'
import type { TransactionPlan } from './transaction-plan.js'
import type { DecidingReply, Verdict } from './verdict.js'

/** What a session belongs to. */
export interface Exchange {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  /** Whether the route itself calls {@link RequestSession.decide}, last of its hooks; else the hook at the root does. */
  readonly isDecidedByRoute: boolean
  /** Whether the reply has passed that hook: what is done from now on could not be told to the client. */
  readonly isLate: boolean
}

/** A reply on its way through the `onSend` hooks. */
export interface Passage {
  readonly payload: unknown
  /** The same for all hooks of one passage. */
  readonly id: unknown
  /** Whether an error has been raised for this request. */
  readonly failed: boolean
}

export class RequestSession {
  readonly session: Session
  readonly isDecidedByRoute: boolean
  readonly #plan: TransactionPlan
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  #state: 'undecided' | 'streaming' | 'deciding' | 'decided' | 'replaced' = 'undecided'
  #passage: Passage | undefined
  /** An error has been raised: the next reply is the one that tells of it. */
  #failed = false
  /** Somebody else has written to the reply while COMMIT was on its way. */
  #disturbed = false
  readonly #onClose = (): void => { this.#onResponseGone() }
  /** With `commit: 'atEnd'`. */
  #streamed: StreamedReply | undefined
  /** With `commit: 'onResponse'`: what the reply said when it was sent. */
  #commitLater = false

  constructor (database: Database, plan: TransactionPlan, { request, reply, isDecidedByRoute, isLate }: Exchange) {
    this.isDecidedByRoute = isDecidedByRoute
    this.#plan = plan
    this.#request = request
    this.#reply = reply
    this.session = database.lend(plan.settings, new RequestCaller(request))
    const { raw } = reply
    if (isLate || raw.headersSent || isOver(raw)) {
      this.session.abort(isClientGone(request, reply) && !raw.writableEnded ? clientGone('the statement was not run') : new TransactionClosedError('The reply was sent before: the statement was not run'))
    } else {
      raw.once('close', this.#onClose)
    }
  }

  /** Takes note of an error that was raised, before anybody makes a reply of it; false where that reply comes too late to count. */
  fail (): boolean {
    if (this.#state === 'deciding') {
      this.#disturbed = true
      return false
    }
    this.#failed = true
    // The headers may be written at any moment: whatever tells of the error would come too late.
    if (this.#state === 'streaming') this.#streamed?.fail()
    return true
  }

  /** What is sent in the place of the payload, if anything. */
  get replacement (): Readable | undefined { return this.#streamed?.body }

  /**
   * Commits or rolls back as the reply says: `true` where nothing had to be awaited, else a promise of whether the reply may be
   * sent. What it rejects with becomes the reply.
   */
  decide (passage: Passage): true | Promise<boolean> {
    const { payload, id, failed } = passage
    // A route that hands over to a not-found handler keeps its hook, behind the one at the root.
    if (id === this.#passage?.id) return true
    if (this.#state !== 'undecided') return this.#isTaken ? this.#drop(payload) : this.#replace(payload)

    this.#passage = passage
    this.#failed = failed
    const verdict = judge(this.#plan, this.#deciding(payload))
    if (verdict.commits && !this.#plan.commitsAfterResponse && !isStream(payload) && this.session.commitNow()) {
      this.#state = 'decided'
      return true
    }
    return this.#decide(payload, verdict)
  }

  async #decide (payload: unknown, verdict: Verdict): Promise<true> {
    guard(payload)
    try {
      if (verdict.commits && this.#commitsBehind(payload)) await this.#stream(payload)
      else await this.#undisturbed('decided', () => this.#carryOut(verdict, payload))
    } catch (error) {
      await this.session.rollback()
      this.#failed = true
      for (const header of payloadHeaders) this.#reply.removeHeader(header)
      discard(payload)
      throw error
    }
    return true
  }

  /** Commits what a handler has resolved with, if it claims success, before the reply is made: a conflict can still be repeated then. */
  async commitEarly (payload: unknown): Promise<void> {
    const commits = !this.#plan.commitsAfterResponse && !this.#commitsBehind(payload) && !this.session.isRolledBack && mayCommit(this.#plan, this.#deciding(payload))
    if (!commits) return
    guard(payload)
    try {
      await this.#undisturbed('undecided', () => this.#commit(payload))
    } catch (error) {
      discard(payload)
      throw error
    }
  }

  /** Whatever others do to the reply meanwhile: what was decided first is what the client gets to know. */
  async #undisturbed (state: 'decided' | 'undecided', decide: () => Promise<void>): Promise<void> {
    const { statusCode } = this.#reply
    const headers = this.#reply.getHeaders()
    this.#state = 'deciding'
    this.#disturbed = false
    try {
      await decide()
    } catch (error) {
      // Fastify asks an error for its status once, and has asked the other one.
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

  /** Undoes everything and lets go of the reply, for another attempt that does what hooks have asked for; false when there is nobody, or no way, to answer. */
  async leave (wishes: Wishes | undefined): Promise<boolean> {
    if (this.#state !== 'undecided' || this.#disturbed || this.#isClientGone) return false
    this.#reply.raw.off('close', this.#onClose)
    if (wishes !== undefined) this.session.bequeath(wishes)
    await this.session.close()
    return true
  }

  /** Whether the transaction was committed, or may have been. */
  get hasCommitted (): boolean { return ['committed', 'unknown'].includes(this.session.outcome) }

  async #carryOut ({ commits, error }: Verdict, payload: unknown): Promise<void> {
    if (error !== undefined) throw error
    if (!commits) await this.#rollBack(payload)
    else if (this.#plan.commitsAfterResponse) this.#commitLater = !this.session.isRolledBack
    else if (!this.session.isRolledBack) await this.#commit(payload)
  }

  async #commit (payload: unknown): Promise<void> {
    if (isStream(payload) && !this.session.isSettled) await seeNothingFollow(this.session)
    await this.session.commit()
  }

  /** Whether a payload's end waits for the commit. */
  #commitsBehind (payload: unknown): boolean {
    return this.#plan.commitsAtEnd && isStream(payload) && !this.session.isSettled
  }

  async #stream (payload: unknown): Promise<void> {
    const streamed = new StreamedReply(payload, { request: this.#request, reply: this.#reply }, {
      commit: () => this.#undisturbed('decided', () => this.session.commit()),
      rollback: () => this.#giveUp()
    })
    this.#streamed = streamed
    if (streamed.isBodiless) {
      return await this.#undisturbed('decided', async () => {
        await streamed.readSource()
        await this.session.commit()
      })
    }
    this.#state = 'streaming'
    streamed.start()
  }

  /** A stream whose end was held back does not come to it. */
  async #giveUp (): Promise<string> {
    this.#state = 'decided'
    this.#failed = true
    await this.session.rollback()
    return this.session.outcome
  }

  /** Whether the reply that decided is, or will be, on the wire: nobody has said that it failed, or its headers have left. */
  get #isTaken (): boolean {
    return this.#state === 'deciding' || this.#state === 'streaming' || (this.#state === 'decided' && !this.#failed) || this.#reply.raw.headersSent
  }

  get #isClientGone (): boolean { return isClientGone(this.#request, this.#reply) }

  #deciding (payload: unknown): DecidingReply {
    return { request: this.#request, reply: this.#reply, payload, failed: this.#failed }
  }

  async #rollBack (payload: unknown): Promise<void> {
    await this.session.rollback()
    if (this.session.outcome === 'rolledBack') logRollback(this.#reply, payload)
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

  /** An error takes the place of the reply that decided. */
  async #replace (payload: unknown): Promise<true> {
    if (this.#commitLater) {
      this.#commitLater = false
      await this.#rollBack(payload)
    }
    if (this.#state === 'decided' && this.session.outcome === 'committed') this.#tellOfFailure()
    this.#state = 'replaced'
    return true
  }

  #tellOfFailure (): void {
    const { statusCode, log } = this.#reply
    log.error({ statusCode }, 'committed, response failed')
  }

  #onResponseGone (): void {
    const isAnswered = this.#reply.raw.writableEnded
    this.session.endStreams(() => isAnswered ? new TransactionClosedError('The response has ended: the stream was ended') : clientGone('the stream was ended'))
    this.#streamed?.discard()
    const isDone = this.#state === 'decided' && !this.#commitLater && this.#reply.raw.writableEnded
    if (!isDone) this.#closed()
  }

  /** The last net: whatever has not been decided when the response is gone, is undone. */
  async #closed (): Promise<void> {
    const { raw, log } = this.#reply
    const isAnswered = raw.writableEnded
    if (this.#commitLater) {
      await this.session.commit().catch((error) => log.error({ err: error }, 'the commit after the reply failed'))
    } else if (this.#state === 'undecided' || this.#state === 'streaming') {
      if (this.session.isSettled) return
      const wasOpen = this.session.outcome === 'open'
      this.session.abort(isAnswered ? new TransactionClosedError('The response has ended: the statement was not run') : clientGone('nothing was saved'))
      await this.session.rollback()
      if (!isAnswered) log.debug('the client left, rolled back')
      else if (wasOpen) log.error('response ended outside the lifecycle, rolled back')
    } else if (!isAnswered) {
      // Comes too late once COMMIT has been sent; then the outcome stands.
      this.session.abort(clientGone('nothing was saved'))
      await this.session.rollback()
      if (this.session.outcome !== 'committed') return
      if (hasBroken(this.#passage?.payload)) this.#tellOfFailure()
      else log.warn('committed, but the client did not get the answer')
    }
  }
}
