import { Callbacks } from './transaction-callbacks.js'
import { opening } from './transaction/transaction-control.js'
import { Scope } from './scope.js'

/** Callbacks and `rollbackOnly()` from before a handler: they hold for each attempt of the handler. */
export interface RetryState {
  readonly callbacks: Callbacks
  readonly mustRollBack: boolean
}

/** The work in a session so far, and what another attempt takes over of it. */
export abstract class SessionWork<Drizzle> extends Scope<Drizzle> {
  /** Whether something was done in this transaction that another one would lack. Plain reads under READ COMMITTED do not count. */
  get isUsed (): boolean { return this.root.transaction.isUsed || this.hasChild || this.obstacle !== undefined }

  /** Whether a statement or a nested scope is running, or waits. */
  get isBusy (): boolean { return this.hasChild || !this.root.transaction.isIdle }

  /** How many statements were requested. */
  get asked (): number { return this.root.transaction.asked }

  /** The callbacks and `rollbackOnly()` so far. */
  retryState (): RetryState {
    const callbacks = new Callbacks()
    this.callbacks.passTo(callbacks)
    return { callbacks, mustRollBack: this.mustRollBack }
  }

  /** Drops the callbacks that another session takes over. */
  dropCallbacks (state: RetryState | undefined): void { if (state !== undefined) this.callbacks.drop(state.callbacks) }

  /** Takes over the callbacks and `rollbackOnly()` of another session. */
  inherit ({ callbacks, mustRollBack }: RetryState): void {
    callbacks.passTo(this.callbacks)
    if (mustRollBack) this.rollbackOnly()
  }

  /** Takes a connection and sends BEGIN now, instead of with the first statement. */
  async begin (): Promise<void> {
    await this.run(opening)
  }

  /**
   * Makes the reads of this session see the commit of a token, also if they go to a replica: where the replica has not come that far,
   * the primary answers. A text that is no token of this database means the primary, and is no error.
   *
   * @example
   * ```ts
   * await database.session((session) => {
   *   session.readAfter(token)
   *   return session.repo(users).get(1)
   * }, { reads: 'replica' })
   * ```
   */
  readAfter (token: unknown): void { this.root.transaction.follow(token) }

  /** Ends the streams of `repo.stream()`; their readers receive the reason. Never rejects; undefined if there were none. */
  endStreams (reason: () => Error): Promise<void> | undefined {
    return this.root.streams?.end(reason)
  }
}
