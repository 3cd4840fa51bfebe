/**
 * A session: at most one transaction, from its first need to its end.
 *
 * It is settled once. The first decision stands: a commit, a rollback, a client that left, or a time limit. Every later caller
 * receives that decision. Only an abort can still prevent a commit, as long as COMMIT has not been sent; it waits for no callback.
 *
 *     commit:   beforeCommit callbacks ──> gate closed ──> running statements finished ──> COMMIT ──> tag read
 *               ──> connection released ──> afterCommit callbacks
 *     rollback: gate closed ──> waiting statements refused, running one cancelled ──> ROLLBACK
 *               ──> connection released ──> afterRollback callbacks
 *
 * beforeCommit callbacks are not called if the transaction cannot be committed: after a failure that nothing has undone, after
 * `rollbackOnly()`, or after an abort.
 * A connection whose state is uncertain at the end is destroyed, and PostgreSQL rolls back by itself.
 */
import { CommitUnknownError, TransactionClosedError, TransactionScopeError, TransactionTimeoutError, UsageError } from '../errors/errors.js'
import { closed } from './transaction/end-reason.js'
import { Callbacks, runAll } from './transaction-callbacks.js'
import { opening } from './transaction/transaction-control.js'
import { unknownPosition } from '../replicas/commit-token.js'
import { ignore } from '../runtime/promises.js'
import { Scope } from './scope.js'
import { Transaction } from './transaction/transaction.js'
import type { Caller } from '../statement/caller.js'
import type { SessionContext } from './transaction/session-context.js'
import type { TransactionSettings } from '../settings/transaction-options.js'

const nothingToCommit = Promise.resolve()

/** The outcome of a session's transaction. `none`: it was never opened. `unknown`: the response to COMMIT was lost. */
export type SessionOutcome = 'none' | 'open' | 'committed' | 'rolledBack' | 'unknown'

/** Callbacks and `rollbackOnly()` from before a handler: they hold for each attempt of the handler. */
export interface RetryState {
  readonly callbacks: Callbacks
  readonly mustRollBack: boolean
}

export class Session extends Scope {
  #committing: Promise<void> | undefined
  #undoing: Promise<void> | undefined
  #isRolledBack = false
  /** Prevents the commit that is being prepared. */
  #prevent: ((reason: Error) => void) | undefined
  /** Whether COMMIT can no longer be prevented. */
  #isPrepared = false
  #veto: Error | undefined
  #outcome: SessionOutcome | undefined
  readonly #wantsToken: boolean

  /** @throws {UsageError} if a program calls it: only the package makes sessions */
  constructor (context: SessionContext, settings: TransactionSettings, caller: Caller) {
    // The types rule this out; JavaScript and casts do not.
    if ((context as Partial<SessionContext> | null | undefined)?.pool === undefined) {
      throw new UsageError('A session is not made by "new": database.createSession(), database.session((session) => …) and request.db give it')
    }
    const transaction = new Transaction(context, settings, { caller, timedOut: () => this.abort(new TransactionTimeoutError()) })
    super({ context, transaction, caller, savepoints: 0, streams: undefined, leaveContext: undefined, hasToldOfZombie: false })
    this.#wantsToken = settings.token
  }

  /** The outcome of the transaction so far. */
  get outcome (): SessionOutcome {
    return this.#outcome ?? (this.root.transaction.isOpen ? 'open' : 'none')
  }

  /**
   * The token of the commit: with the option `token`, once the commit is confirmed or its outcome is unknown. A reader that passes it
   * to {@link Session.readAfter} sees what was committed. Undefined if there was no transaction to commit.
   */
  get token (): string | undefined {
    const isCommitted = this.#outcome === 'committed' || this.#outcome === 'unknown'
    return isCommitted && this.#wantsToken ? this.root.transaction.token ?? unknownPosition : undefined
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

  /** Whether `rollback()` or `close()` ended the transaction; not a time limit or a lost client. */
  get isRolledBack (): boolean { return this.#isRolledBack }

  /** Whether a commit or a rollback has begun. */
  get isSettled (): boolean { return this.#committing !== undefined || this.#undoing !== undefined }

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
  dropCallbacks ({ callbacks }: RetryState): void { this.callbacks.drop(callbacks) }

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
   * Commits; resolves when PostgreSQL has confirmed it. Later statements are refused. A second call returns the same promise.
   *
   * @throws {TransactionAbortedError} if a statement had failed and nothing undid it, or PostgreSQL rolled back
   * @throws {TransactionClosedError} if the session was rolled back before
   * @throws {ConnectionError} if the connection was lost before COMMIT was sent: nothing was saved
   * @throws {CommitUnknownError} if the response to COMMIT was lost
   */
  commit (): Promise<void> {
    if (this.#committing === undefined) {
      this.#committing = this.#undoing === undefined ? this.#commit() : this.#refuse(this.#undoing)
      // The commit releases its connection before the callbacks run, so closing the database must wait for it here.
      this.root.context.track(this.#committing.catch(ignore))
    }
    return this.#committing
  }

  /** Rolls back. Never rejects: a connection that cannot roll back is destroyed. */
  rollback (): Promise<void> {
    if (this.#committing !== undefined) return this.#committing.catch(ignore)
    this.#isRolledBack ||= this.#undoing === undefined
    return this.#undoOnce()
  }

  /** Ends the session: rolls back unless it is committed, and ends the streams that were opened in it. */
  async close (): Promise<void> {
    await this.rollback()
    await this.endStreams(closed)
  }

  [Symbol.asyncDispose] (): Promise<void> {
    return this.close()
  }

  /** Ends the streams of `repo.stream()`; their readers receive the reason. Never rejects; undefined if there were none. */
  endStreams (reason: () => Error): Promise<void> | undefined {
    return this.root.streams?.end(reason)
  }

  /** Rolls back for a reason that later statements receive as their error. It has no effect once COMMIT was sent. */
  abort (reason: Error): void {
    if (this.#undoing !== undefined || this.#isPrepared) return
    this.#veto = reason
    this.#undoing = this.#undo(() => reason)
    this.#prevent?.(reason)
  }

  /**
   * Commits synchronously if there is nothing to commit and nothing to wait for; else does nothing and returns `false`.
   */
  commitNow (): boolean {
    const { transaction, leaveContext } = this.root
    const isSimple = !this.isSettled && !transaction.isOpen && transaction.isIdle && !this.hasChild &&
      this.callbacks.beforeCommit.length === 0 && !this.mustRollBack && this.obstacle === undefined
    if (!isSimple) return false
    this.#isPrepared = true
    this.#committing = nothingToCommit
    this.end(closed)
    leaveContext?.()
    this.#runLater(this.callbacks.afterCommit, 'after the commit')
    return true
  }

  async #refuse (undoing: Promise<void>): Promise<never> {
    await undoing
    throw this.#veto ?? new TransactionClosedError('The transaction was rolled back before: nothing was saved')
  }

  async #commit (): Promise<void> {
    const { transaction } = this.root
    try {
      if (!await this.#prepareOrAbort()) return await this.#undoOnce()
    } catch (error) {
      await this.#undoOnce()
      throw error
    }
    try {
      await transaction.commit()
    } catch (error) {
      if (error instanceof CommitUnknownError) this.#outcome = 'unknown'
      else this.#rolledBack()
      throw error
    } finally {
      this.root.leaveContext?.()
    }
    if (transaction.isOpen) this.#outcome = 'committed'
    this.#runLater(this.callbacks.afterCommit, 'after the commit')
  }

  #prepareOrAbort (): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#prevent = reject
      this.#prepare().then(resolve, reject)
    })
  }

  /** Does everything that may prevent the commit; `false` after `rollbackOnly()`. */
  async #prepare (): Promise<boolean> {
    const { transaction } = this.root
    for (const callback of this.callbacks.beforeCommit) {
      await transaction.idle()
      if (!this.#mayCommit()) return false
      await callback()
    }
    const left = this.end(closed)
    await transaction.idle()
    if (left && !this.mustRollBack) throw new TransactionScopeError('A nested transaction was not awaited: nothing was saved')
    if (!this.#mayCommit()) return false
    transaction.close(closed)
    this.#isPrepared = true
    return true
  }

  #mayCommit (): boolean {
    const { obstacle } = this
    if (this.#veto !== undefined) throw this.#veto
    if (this.mustRollBack) return false
    if (obstacle !== undefined) throw obstacle
    return true
  }

  #undoOnce (): Promise<void> {
    this.#undoing ??= this.#undo(closed)
    return this.#undoing
  }

  async #undo (reason: () => Error): Promise<void> {
    const { transaction } = this.root
    this.end(reason)
    transaction.close(reason)
    await transaction.rollback()
    this.root.leaveContext?.()
    this.#rolledBack()
  }

  #rolledBack (): void {
    if (this.root.transaction.isOpen) this.#outcome = 'rolledBack'
    this.#runLater(this.callbacks.afterRollback, 'after a rollback')
  }

  #runLater (callbacks: ReadonlyArray<() => unknown>, moment: string): void {
    if (callbacks.length > 0) this.root.context.track(runAll(callbacks, moment, this.root.caller.logger))
  }
}
