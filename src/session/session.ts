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
import { control } from './transaction/transaction-control.js'
import { runAll } from './transaction-callbacks.js'
import { unknownPosition } from '../replicas/commit-token.js'
import { ignore } from '../runtime/promises.js'
import { SessionWork } from './session-work.js'
import { SingleWrite } from './single-write.js'
import { Transaction } from './transaction/transaction.js'
import type { DrizzleDatabase } from '../drizzle/types/drizzle-database.js'
import type { Caller } from '../statement/caller.js'
import type { CommitGroup, CommitSteps } from './commit-steps.js'
import type { SessionOutcome, SessionUnit } from './session-unit.js'
import type { SessionContext } from './transaction/session-context.js'
import type { TransactionSettings } from '../settings/transaction-options.js'

const resolved = Promise.resolve()

/** Runs deferred constraints now. https://www.postgresql.org/docs/current/sql-set-constraints.html */
const checkAll = { ...control('set constraints all immediate'), context: { operation: 'commit' } }

/** A session: at most one transaction and the statements in it. `request.db` is one; `database.session(fn)` and `database.createSession()` give others. */
export class Session<Drizzle = DrizzleDatabase> extends SessionWork<Drizzle> implements SessionUnit {
  #committing: Promise<void> | undefined
  #undoing: Promise<void> | undefined
  #isRolledBack = false
  /** Prevents the commit that is being prepared. */
  #prevent: ((reason: Error) => void) | undefined
  /** Whether COMMIT can no longer be prevented. */
  #isPrepared = false
  /** How many beforeCommit callbacks were called. */
  #called = 0
  /** Whether a nested scope was open when the gate was closed. */
  #left = false
  /** The group that decides for this session, if the request has several. */
  #group: CommitGroup | undefined
  #veto: Error | undefined
  #outcome: SessionOutcome | undefined
  readonly #wantsToken: boolean

  /** @throws {UsageError} if a program calls it: only the package makes sessions */
  constructor (context: SessionContext, settings: TransactionSettings, caller: Caller) {
    // The types rule this out; JavaScript and casts do not.
    if ((context as Partial<SessionContext> | null | undefined)?.pool === undefined) {
      throw new UsageError('A session is not made by "new": database.createSession(), database.session((session) => …) and request.db give it')
    }
    const transaction = settings.single
      ? new SingleWrite(context, settings, caller)
      : new Transaction(context, settings, caller)
    super({ context, transaction, caller, savepoints: 0, streams: undefined, leaveContext: undefined, hasToldOfZombie: false })
    this.#wantsToken = settings.token
    if (settings.timeoutMillis !== undefined) this.#limit()
  }

  /** Not in the constructor, where a closure would cost every session. */
  #limit (): void { this.root.transaction.timedOut = () => this.abort(new TransactionTimeoutError()) }

  /** The outcome of the transaction so far. */
  get outcome (): SessionOutcome {
    const { fate, isOpen } = this.root.transaction
    return this.#outcome ?? fate ?? (isOpen ? 'open' : 'none')
  }

  /**
   * The token of the commit: with the option `token`, once the commit is confirmed or its outcome is unknown. A reader that passes it
   * to `readAfter()` sees what was committed. Undefined if there was no transaction to commit.
   */
  get token (): string | undefined {
    const isCommitted = this.outcome === 'committed' || this.outcome === 'unknown'
    return isCommitted && this.#wantsToken ? this.root.transaction.token ?? unknownPosition : undefined
  }

  /** Whether `rollback()` or `close()` ended the transaction; not a time limit or a lost client. */
  get isRolledBack (): boolean { return this.#isRolledBack }

  /** Whether a commit or a rollback has begun. */
  get isSettled (): boolean { return this.#committing !== undefined || this.#undoing !== undefined || this.#group?.isSettled === true }

  /** From now on the group decides; it uses these steps. */
  join (group: CommitGroup): CommitSteps {
    const { transaction, context } = this.root
    this.#group = group
    return {
      begin: (committing, prevent) => {
        this.#committing = committing
        this.#prevent = prevent
        context.track(committing)
      },
      hasCallbacks: () => this.#hasCallbacks,
      callNext: () => this.#callNext(),
      idle: () => transaction.idle(),
      closeGate: () => this.#closeGate(),
      mustRollBack: () => this.mustRollBack,
      mayCommit: () => this.#mayCommit(),
      hasWritten: () => transaction.work.hasWritten,
      checkConstraints: () => transaction.run(checkAll, undefined),
      seal: () => this.#seal(),
      commit: () => this.#commit(true),
      undo: () => this.#undoOnce(),
      rollback: () => this.#rollBack()
    }
  }

  /**
   * Commits; resolves when PostgreSQL has confirmed it. Later statements are refused. A second call returns the same promise.
   * The sessions of a request in several databases commit together.
   *
   * @throws {TransactionAbortedError} if a statement had failed and nothing undid it, or PostgreSQL rolled back
   * @throws {TransactionClosedError} if the session was rolled back before
   * @throws {ConnectionError} if the connection was lost before COMMIT was sent: nothing was saved
   * @throws {CommitUnknownError} if the response to COMMIT was lost
   * @throws {PartialCommitError} if the commit in another database of the same request has succeeded, and this one failed
   */
  commit (): Promise<void> {
    if (this.#group !== undefined) return this.#group.commit()
    if (this.#committing === undefined) {
      this.#committing = this.#undoing === undefined ? this.#commit() : this.#refuse(this.#undoing)
      // The commit releases its connection before the callbacks run, so closing the database must wait for it here.
      this.root.context.track(this.#committing)
    }
    return this.#committing
  }

  /** Rolls back, together with the sessions of the same request. Never rejects: a connection that cannot roll back is destroyed. */
  rollback (): Promise<void> {
    return this.#group === undefined ? this.#rollBack() : this.#group.rollback()
  }

  #rollBack (): Promise<void> {
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

  /** Rolls back for a reason that later statements receive as their error. It has no effect once COMMIT was sent. */
  abort (reason: Error): void {
    if (this.#undoing !== undefined || this.#isPrepared) return
    this.#veto = reason
    this.#undoing = this.#undo(() => reason)
    this.#prevent?.(reason)
  }

  /** Whether a commit would have nothing to do, and nothing to wait for. */
  get hasNothingToCommit (): boolean {
    const { transaction } = this.root
    return this.#committing === undefined && this.#undoing === undefined && !transaction.isOpen && transaction.isIdle && !this.hasChild &&
      this.callbacks.beforeCommit.length === 0 && !this.mustRollBack && this.obstacle === undefined && this.token === undefined
  }

  /** Commits synchronously if there is nothing to commit and nothing to wait for; else does nothing and returns `false`. */
  commitNow (): boolean {
    if (!this.hasNothingToCommit) return false
    this.#isPrepared = true
    this.#committing = resolved
    this.end(closed)
    this.root.leaveContext?.()
    this.#runLater(this.callbacks.afterCommit, 'after the commit')
    return true
  }

  async #refuse (undoing: Promise<void>): Promise<never> {
    await undoing
    throw this.#veto ?? new TransactionClosedError('The transaction was rolled back before: nothing was saved')
  }

  async #commit (isPrepared = false): Promise<void> {
    const { transaction } = this.root
    try {
      if (!isPrepared && !await this.#prepareOrAbort()) return await this.#undoOnce()
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
    // Most commits wait for no callback and no statement, and no nested scope is open. An abort in the same turn prevents them, too.
    if (!this.#hasCallbacks && !this.hasChild && this.root.transaction.isIdle) {
      this.#closeGate()
      return resolved.then(() => this.#sealIfAllowed())
    }
    return new Promise((resolve, reject) => {
      this.#prevent = reject
      this.#prepare().then(resolve, reject)
    })
  }

  /** Does everything that may prevent the commit; `false` after `rollbackOnly()`. */
  async #prepare (): Promise<boolean> {
    const { transaction } = this.root
    while (this.#hasCallbacks) {
      await transaction.idle()
      if (!this.#mayCommit()) return false
      await this.#callNext()
    }
    this.#closeGate()
    await transaction.idle()
    return this.#sealIfAllowed()
  }

  #sealIfAllowed (): boolean {
    if (!this.#mayCommit()) return false
    this.#seal()
    return true
  }

  get #hasCallbacks (): boolean { return this.#called < this.callbacks.beforeCommit.length }

  #callNext (): unknown { return this.callbacks.beforeCommit[this.#called++]?.() }

  #closeGate (): void { this.#left = this.end(closed) }

  #seal (): void {
    this.root.transaction.close(closed)
    this.#isPrepared = true
  }

  #mayCommit (): boolean {
    const { obstacle } = this
    if (this.#left && !this.mustRollBack) throw new TransactionScopeError('A nested transaction was not awaited: nothing was saved')
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
    const { fate, isOpen } = this.root.transaction
    if (isOpen) this.#outcome = 'rolledBack'
    if (fate === 'committed') this.#runLater(this.callbacks.afterCommit, 'after the commit')
    else if (fate === undefined) this.#runLater(this.callbacks.afterRollback, 'after a rollback')
  }

  #runLater (callbacks: ReadonlyArray<() => unknown>, moment: string): void {
    if (callbacks.length > 0) this.root.context.track(runAll(callbacks, moment, this.root.caller.logger))
  }
}
