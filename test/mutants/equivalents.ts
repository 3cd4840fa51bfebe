/** Mutants that change nothing which a program could see. */
export interface Equivalent {
  readonly file: string
  readonly titles: readonly string[]
  readonly reason: string
}

export const equivalents: readonly Equivalent[] = [
  {
    file: 'src/session/scope.ts',
    titles: ['Scope.#run: `this.#ended === undefined && this.#child === undefined` becomes `false`'],
    reason: 'A short cut: the long way does the same where nothing has ended and nothing is open.'
  },
  {
    file: 'src/session/scope.ts',
    titles: [
      'Scope.#undo: `this.callbacks.afterRollback.length > 0` becomes `true`',
      'Scope.#undo: `this.callbacks.afterRollback.length > 0` becomes `this.callbacks.afterRollback.length >= 0`'
    ],
    reason: 'It spares a promise: where there are no callbacks none is called.'
  },
  {
    file: 'src/session/transaction.ts',
    titles: ['Transaction.close: `this.isIdle` becomes `false`'],
    reason: 'It spares an error with its stack: where nothing is under way there is nobody to be refused.'
  },
  {
    file: 'src/session/transaction.ts',
    titles: [
      'Transaction.close: `this.#cancel?.(reason()) this.#reads.close(reason)` becomes `this.#reads.close(reason); this.#cancel?.(reason())`',
      'Transaction.close: `this.#reads.close(reason) this.#proceed()` becomes `this.#proceed(); this.#reads.close(reason)`'
    ],
    reason: 'All are refused in the same turn, for the same reason.'
  },
  {
    file: 'src/session/transaction.ts',
    titles: ['Transaction.#send.answered: `--open === 0` becomes `true`'],
    reason: 'The answers to statements that travelled together are told in one turn, and what is sent in it stands behind them.'
  },
  {
    file: 'src/session/transaction.ts',
    titles: [
      "Transaction.#mayReadOutside: `kind === 'read' && this.#settings.readsOutside && this.#context.pool.readCommitted && this.#end === undefined && this.#connection === undefined && this.#tasks.length === 0` becomes `kind === 'read' && this.#settings.readsOutside && this.#end === undefined && this.#connection === undefined && this.#tasks.length === 0`"
    ],
    reason: 'It spares a way to a connection, which is asked for its level, too.'
  },
  {
    file: 'src/session/transaction.ts',
    titles: [
      "Transaction.#mayReadOutside: `kind === 'read' && this.#settings.readsOutside && this.#context.pool.readCommitted && this.#end === undefined && this.#connection === undefined && this.#tasks.length === 0` becomes `kind === 'read' && this.#settings.readsOutside && this.#context.pool.readCommitted && this.#connection === undefined && this.#tasks.length === 0`"
    ],
    reason: 'A second net: the scopes of a transaction that has ended refuse before.'
  },
  {
    file: 'src/session/transaction.ts',
    titles: ['Transaction.#proceedSoon: `!this.#isDue` becomes `true`'],
    reason: 'It spares microtasks that find nothing to do.'
  },
  {
    file: 'src/session/transaction.ts',
    titles: ['Transaction.#answer: `sent && this.#isAborted` becomes `this.#isAborted`'],
    reason: 'What was not sent in a failed transaction comes behind the failure, which is kept.'
  },
  {
    file: 'src/session/transaction.ts',
    titles: ['Transaction.#open: `connection.enterTransaction() this.#done()` becomes `this.#done(); connection.enterTransaction()`'],
    reason: 'No answer comes in the turn in which a statement is sent, and nobody looks before.'
  },
  {
    file: 'src/session/session.ts',
    titles: ['Session.#undo: `this.end(reason) transaction.close(reason)` becomes `transaction.close(reason); this.end(reason)`'],
    reason: 'All are refused in the same turn, for the same reason.'
  },
  {
    file: 'src/session/session.ts',
    titles: [
      'Session.commitNow: `this.end(closed) leaveContext?.()` becomes `leaveContext?.(); this.end(closed)`',
      'Session.#undo: `await transaction.rollback() this.root.leaveContext?.()` becomes `this.root.leaveContext?.(); await transaction.rollback()`'
    ],
    reason: 'Everything is refused by then, whichever scope is meant.'
  },
  {
    file: 'src/session/session.ts',
    titles: [
      "Session.commitNow: `leaveContext?.() this.#runLater(this.callbacks.afterCommit, 'after the commit')` becomes `this.#runLater(this.callbacks.afterCommit, 'after the commit'); leaveContext?.()`",
      'Session.#undo: `this.root.leaveContext?.() this.#rolledBack()` becomes `this.#rolledBack(); this.root.leaveContext?.()`'
    ],
    reason: 'What a callback opens belongs to no session that is over, whether the context still knows that or not.'
  },
  {
    file: 'src/session/session.ts',
    titles: ['Session.#runLater: `callbacks.length > 0` becomes `true`', 'Session.#runLater: `callbacks.length > 0` becomes `callbacks.length >= 0`'],
    reason: 'It spares a promise: where there are no callbacks none is called.'
  },
  {
    file: 'src/session/session.ts',
    titles: ['Session.#commit: `await this.#undoOnce()` becomes `this.#undoOnce()`'],
    reason: 'The promise is returned, and awaited by whoever called.'
  },
  {
    file: 'src/session/scope-queue.ts',
    titles: [
      'ScopeQueue.take.timer: `this.#waiting.delete(call) reject(new TransactionScopeError())` becomes `reject(new TransactionScopeError()); this.#waiting.delete(call)`',
      'ScopeQueue.clear: `this.#leave(call) call.reject(reason())` becomes `call.reject(reason()); this.#leave(call)`',
      'ScopeQueue.#leave: `clearTimeout(call.timer) this.#waiting.delete(call)` becomes `this.#waiting.delete(call); clearTimeout(call.timer)`'
    ],
    reason: 'Who is refused gets to know it in a later turn.'
  },
  {
    file: 'src/session/commit-status.ts',
    titles: ['findCommitStatus: `performance.now() < deadline` becomes `performance.now() <= deadline`'],
    reason: 'One question more or less in the very moment of the deadline.'
  },
  {
    file: 'src/session/commit-status.ts',
    titles: [
      'ask.answer: `clearTimeout(timer); resolve(given)` becomes `resolve(given); clearTimeout(timer);`',
      "ask.cancel: `connection.release() answer(Object(error).code === notYetGiven ? { status: 'aborted' } : Object(result?.rows[0]))` becomes `answer(Object(error).code === notYetGiven ? { status: 'aborted' } : Object(result?.rows[0])); connection.release()`"
    ],
    reason: 'Who asked gets to know it in a later turn.'
  },
  {
    file: 'src/session/transaction-callbacks.ts',
    titles: [
      'Callbacks.passTo: `parent.beforeCommit.push(...this.beforeCommit) parent.afterCommit.push(...this.afterCommit)` becomes `parent.afterCommit.push(...this.afterCommit); parent.beforeCommit.push(...this.beforeCommit)`',
      'Callbacks.passTo: `parent.afterCommit.push(...this.afterCommit) parent.afterRollback.push(...this.afterRollback)` becomes `parent.afterRollback.push(...this.afterRollback); parent.afterCommit.push(...this.afterCommit)`'
    ],
    reason: 'Each list has an order of its own, and none is looked at between.'
  },
  {
    file: 'src/session/reads-before-begin.ts',
    titles: ['ReadsBeforeBegin.start: `reader.refused(error) this.#end(read, reader)` becomes `this.#end(read, reader); reader.refused(error)`'],
    reason: 'A read that was refused is no obstacle to a commit, and who asked for it gets to know it in a later turn.'
  },
  {
    file: 'src/runtime/async-context.ts',
    titles: ['AsyncContext.current: `this.#users === 0` becomes `false`'],
    reason: 'A short cut: a storage that is off has nothing to tell.'
  }
]
