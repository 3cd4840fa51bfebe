import { statementChannel, transactionChannel } from './channels.js'
import { messageCaller } from './messages.js'
import { begin, finish, isWatched } from './publish.js'
import { setServer } from './place.js'
import { traceStatement } from './statement-trace.js'
import { CommitUnknownError, TransactionClosedError } from '../errors/errors.js'
import { ignore } from '../runtime/promises.js'
import type { Caller } from '../statement/caller.js'
import type { Statement, StatementResult } from '../statement/statement.js'
import type { DatabasePlace, TransactionMessage, TransactionOutcome } from './messages.js'
import type { ServerProcess } from './place.js'

/** The transaction that is watched. */
export interface WatchedTransaction {
  readonly place: DatabasePlace
  readonly settings: { readonly isolationLevel: string | undefined, readonly readOnly: boolean }
  readonly caller: Caller
}

type Run = (statement: Statement) => Promise<StatementResult<never>>

/** The operations of statements that the package adds: BEGIN with `begin: 'onRequest'`, and the check of constraints before a commit. */
const added = new Set(['begin', 'commit'])

/** Publishes the messages about one transaction, and about its statements. */
export class TransactionTrace {
  readonly #watched: WatchedTransaction
  #message: TransactionMessage | undefined
  #started = 0

  constructor (watched: WatchedTransaction) {
    this.#watched = watched
  }

  /** Runs a statement of the transaction, or one outside it, between the messages about it. */
  run (statement: Statement, isOutside: boolean, run: Run): Promise<StatementResult<never>> {
    if (!isOutside) this.begin()
    if (added.has(statement.context.operation)) return run(statement)
    const transaction = isOutside ? undefined : this.#message
    if (transaction !== undefined) transaction.statements++
    if (!isWatched(statementChannel)) return run(statement)
    const { place, caller } = this.#watched
    return traceStatement(statement, { place, caller, transaction }, run)
  }

  /** Publishes the start of the transaction, once. */
  begin (): void {
    if (this.#message !== undefined || !isWatched(transactionChannel)) return
    const { place, settings: { isolationLevel, readOnly }, caller } = this.#watched
    this.#message = { ...place, [messageCaller]: caller, route: caller.label, isolationLevel, readOnly, attempt: caller.attempt ?? 1, statements: 0 }
    this.#started = performance.now()
    begin(transactionChannel, this.#message, ignore)
  }

  /** The transaction has a connection. */
  lent ({ server }: { readonly server: ServerProcess }): void {
    if (this.#message !== undefined) setServer(this.#message, server)
  }

  /** Publishes the end of the transaction, if its start was published. That the program ended it is no error. */
  end (outcome: TransactionOutcome, error?: Error): void {
    const message = this.#message
    if (message === undefined) return
    this.#message = undefined
    message.durationMillis = performance.now() - this.#started
    message.outcome = outcome
    finish(transactionChannel, message, error instanceof TransactionClosedError && error.statusCode >= 500 ? undefined : error)
  }

  /** Publishes how a commit ended, and passes its result on. */
  async commit<Result> (committing: Promise<Result>): Promise<Result> {
    try {
      const result = await committing
      this.end('committed')
      return result
    } catch (error) {
      this.end(error instanceof CommitUnknownError ? 'unknown' : 'rolledBack', error as Error)
      throw error
    }
  }
}

/** Whether somebody watches transactions or statements. */
export function isTraced (): boolean {
  return isWatched(statementChannel) || isWatched(transactionChannel)
}
