/**
 * A session: at most one transaction, from its first need to its end.
 *
 * It is settled once. Whoever decides first, a commit, a rollback, a client that left or a time limit, decides for good, and
 * everybody else gets to know that decision; only a commit whose COMMIT has not been sent yet can still be prevented, by an
 * abort, which waits for no callback.
 *
 *     commit:   beforeCommit callbacks ──> gate closed ──> statements under way answered ──> COMMIT ──> tag read
 *               ──> connection given back ──> afterCommit callbacks
 *     rollback: gate closed ──> waiting statements refused, running one cancelled ──> ROLLBACK
 *               ──> connection given back ──> afterRollback callbacks
 *
 * No beforeCommit callback is called for what cannot be kept: after a failure that nothing has undone, a rollback that was asked
 * for, or an abort.
 * A connection whose state is not certain at the end of either is destroyed, and PostgreSQL rolls back by itself.
 */
import { CommitUnknownError, TransactionClosedError, TransactionScopeError, TransactionTimeoutError, UsageError } from '../errors/errors.js'
import { closed } from './end-reason.js'
import { Callbacks, runAll } from './transaction-callbacks.js'
import { opening } from './transaction-control.js'
import { ignore } from '../runtime/promises.js'
import { Scope } from './scope.js'
import { Transaction } from './transaction.js'
import type { Caller } from '../statement/caller.js'
import type { SessionContext } from './session-context.js'
import type { TransactionSettings } from '../settings/transaction-options.js'

const nothingToCommit = Promise.resolve()

/** What became of a session's transaction: `none` was opened; `unknown` where the answer to COMMIT was lost. */
export type SessionOutcome = 'none' | 'open' | 'committed' | 'rolledBack' | 'unknown'

/** What was asked of a session's fate before its work began; it holds for every attempt of that work. */
export interface Wishes {
  readonly callbacks: Callbacks
  readonly mustRollBack: boolean
}

export class Session extends Scope {
  #committing: Promise<void> | undefined
  #undoing: Promise<void> | undefined
  #isRolledBack = false
  /** Prevents the commit that is being prepared. */
  #prevent: ((reason: Error) => void) | undefined
  /** Whether COMMIT leaves, whatever anybody wants. */
  #isPrepared = false
  #veto: Error | undefined
  #outcome: SessionOutcome | undefined

  /** @throws {UsageError}, as only the package makes one. */
  constructor (host: SessionContext, settings: TransactionSettings, caller: Caller) {
    // What JavaScript, or a cast, gives instead.
    if ((host as Partial<SessionContext> | null | undefined)?.pool === undefined) throw new UsageError('A session is not made by "new": database.createSession(), database.session((session) => …) and request.db give it')
    const transaction = new Transaction(host, settings, { caller, timedOut: () => this.abort(new TransactionTimeoutError()) })
    super({ host, transaction, caller, savepoints: 0, streams: undefined, leaveContext: undefined, hasToldOfZombie: false })
  }

  /** What became of the transaction so far. */
  get outcome (): SessionOutcome {
    return this.#outcome ?? (this.root.transaction.isOpen ? 'open' : 'none')
  }

  /** Whether somebody who could decide so undid the transaction; not where a limit or a lost client did. */
  get isRolledBack (): boolean { return this.#isRolledBack }

  /** Whether the session's fate is decided: a commit or a rollback is under way or done. */
  get isSettled (): boolean { return this.#committing !== undefined || this.#undoing !== undefined }

  /** Whether something was done in the transaction, so that another one would lack it; plain reads under READ COMMITTED are not. */
  get isUsed (): boolean { return this.root.transaction.isUsed || this.hasChild || this.obstacle !== undefined }

  /** Whether a statement or a nested scope is under way, or waits. */
  get isBusy (): boolean { return this.hasChild || !this.root.transaction.isIdle }

  /** How many statements were asked for. */
  get asked (): number { return this.root.transaction.asked }

  /** What was asked of the session's fate so far. */
  wishes (): Wishes {
    const callbacks = new Callbacks()
    this.callbacks.passTo(callbacks)
    return { callbacks, mustRollBack: this.mustRollBack }
  }

  /** Leaves to another session what was asked of this one first. */
  bequeath ({ callbacks }: Wishes): void { this.callbacks.drop(callbacks) }

  /** Takes over what another session has left. */
  inherit ({ callbacks, mustRollBack }: Wishes): void {
    callbacks.passTo(this.callbacks)
    if (mustRollBack) this.rollbackOnly()
  }

  /** Takes a connection and sends BEGIN now, instead of with the first statement. */
  async begin (): Promise<void> {
    await this.run(opening)
  }

  /**
   * Commits, and resolves when PostgreSQL has confirmed it. Statements after it are refused. A second call gets the same answer.
   *
   * @throws {TransactionAbortedError} when a statement had failed and nothing undid it, or PostgreSQL rolled back
   * @throws {TransactionClosedError} when the session was rolled back before
   * @throws {ConnectionError} when the connection was lost before COMMIT was sent: nothing was saved
   * @throws {CommitUnknownError} when the answer to COMMIT was lost
   */
  commit (): Promise<void> {
    if (this.#committing === undefined) {
      this.#committing = this.#undoing === undefined ? this.#commit() : this.#refuse(this.#undoing)
      // Closing the database waits for what comes after the commit, which gives its connection back before.
      this.root.host.track(this.#committing.catch(ignore))
    }
    return this.#committing
  }

  /** Undoes everything that is not committed yet. Never rejects: a connection that cannot roll back is destroyed. */
  rollback (): Promise<void> {
    if (this.#committing !== undefined) return this.#committing.catch(ignore)
    this.#isRolledBack ||= this.#undoing === undefined
    return this.#undoOnce()
  }

  /** Ends the session: rolls back what is not committed, and ends the streams that were opened in it. */
  async close (): Promise<void> {
    await this.rollback()
    await this.endStreams(closed)
  }

  [Symbol.asyncDispose] (): Promise<void> {
    return this.close()
  }

  /** Ends what `repo.stream()` still reads, for a reason that its readers get to know. Never rejects; undefined where there were none. */
  endStreams (reason: () => Error): Promise<void> | undefined {
    return this.root.streams?.end(reason)
  }

  /** Rolls back for a reason that everybody gets to know who still uses the session; comes too late once COMMIT was sent. */
  abort (reason: Error): void {
    if (this.#undoing !== undefined || this.#isPrepared) return
    this.#veto = reason
    this.#undoing = this.#undo(() => reason)
    this.#prevent?.(reason)
  }

  /**
   * Commits at once, where there is nothing to commit and nobody to wait for; `false` where there is, and then nothing was done.
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

  /** Everything that may prevent the commit; false when a rollback was asked for. */
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
    if (callbacks.length > 0) this.root.host.track(runAll(callbacks, moment, this.root.caller.logger))
  }
}
