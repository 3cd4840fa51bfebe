/** Mutants that change nothing that a program can observe. */
export interface Equivalent {
  readonly file: string
  readonly titles: readonly string[]
  readonly reason: string
}

export const equivalents: readonly Equivalent[] = [
  {
    file: 'src/session/scope.ts',
    titles: ['Scope.#run: `this.#ended === undefined && this.#child === undefined` becomes `false`'],
    reason: 'A short cut: the long way does the same if nothing has ended and nothing is open.'
  },
  {
    file: 'src/session/scope.ts',
    titles: [
      'Scope.#undo: `this.callbacks.afterRollback.length > 0` becomes `true`',
      'Scope.#undo: `this.callbacks.afterRollback.length > 0` becomes `this.callbacks.afterRollback.length >= 0`'
    ],
    reason: 'It saves a promise: without callbacks none is called.'
  },
  {
    file: 'src/session/transaction/transaction.ts',
    titles: ['Transaction.close: `this.isIdle` becomes `false`'],
    reason: 'It saves an error with its stack: no statement is under way that could be refused.'
  },
  {
    file: 'src/session/transaction/transaction.ts',
    titles: [
      'Transaction.close: `this.#cancel?.(reason()) this.#reads?.close(reason)` becomes `this.#reads?.close(reason); this.#cancel?.(reason())`',
      'Transaction.close: `this.#reads?.close(reason) this.#proceed()` becomes `this.#proceed(); this.#reads?.close(reason)`'
    ],
    reason: 'All are refused in the same turn, for the same reason.'
  },
  {
    file: 'src/session/transaction/transaction.ts',
    titles: ['Transaction.#send.answered: `--open > 0` becomes `false`'],
    reason: 'The answers to statements of one group come in one turn, and a statement sent in that turn follows them.'
  },
  {
    file: 'src/session/transaction/transaction.ts',
    titles: [
      "Transaction.#mayReadOutside: `kind === 'read' && this.#settings.readsOutside && this.#context.pool.readCommitted && this.#end === undefined && this.#connection === undefined && this.#tasks.length === 0` becomes `kind === 'read' && this.#settings.readsOutside && this.#end === undefined && this.#connection === undefined && this.#tasks.length === 0`"
    ],
    reason: 'It saves an acquire: the connection is checked for its isolation level as well.'
  },
  {
    file: 'src/session/transaction/transaction.ts',
    titles: [
      "Transaction.#mayReadOutside: `kind === 'read' && this.#settings.readsOutside && this.#context.pool.readCommitted && this.#end === undefined && this.#connection === undefined && this.#tasks.length === 0` becomes `kind === 'read' && this.#settings.readsOutside && this.#context.pool.readCommitted && this.#connection === undefined && this.#tasks.length === 0`"
    ],
    reason: 'A second check: the scopes of an ended transaction refuse earlier.'
  },
  {
    file: 'src/session/transaction/transaction.ts',
    titles: ['Transaction.#proceedSoon: `!this.#isDue` becomes `true`'],
    reason: 'It saves microtasks that would do nothing.'
  },
  {
    file: 'src/session/transaction/transaction.ts',
    titles: ['Transaction.answer: `sent && this.#isAborted` becomes `this.#isAborted`'],
    reason: 'An unsent statement of a failed transaction follows the failure, which is kept.'
  },
  {
    file: 'src/session/transaction/transaction.ts',
    titles: ['Transaction.lend: `connection.enterTransaction() this.#done()` becomes `this.#done(); connection.enterTransaction()`'],
    reason: 'No answer comes in the turn in which a statement is sent, and the state is not read before.'
  },
  {
    file: 'src/session/transaction/transaction.ts',
    titles: [
      'Transaction.undo: `this.#unsent.undo(savepoint) this.work.undo(savepoint)` becomes `this.work.undo(savepoint); this.#unsent.undo(savepoint)`',
      'Transaction.#moveToPrimary: `forget(tasks[0]?.savepoint) this.#tasks.unshift(...tasks)` becomes `this.#tasks.unshift(...tasks); forget(tasks[0]?.savepoint)`',
      'Transaction.unsuited: `this.#trace?.begin() this.work.add(task.statement, task.savepoint)` becomes `this.work.add(task.statement, task.savepoint); this.#trace?.begin()`',
      'Transaction.unsuited: `this.work.add(task.statement, task.savepoint) this.#tasks.unshift(task)` becomes `this.#tasks.unshift(task); this.work.add(task.statement, task.savepoint)`'
    ],
    reason: 'Two notes of one turn, which do not read each other.'
  },
  {
    file: 'src/session/session.ts',
    titles: ['Session.#undo: `this.end(reason) transaction.close(reason)` becomes `transaction.close(reason); this.end(reason)`'],
    reason: 'All are refused in the same turn, for the same reason.'
  },
  {
    file: 'src/session/session.ts',
    titles: [
      'Session.commitNow: `this.end(closed) this.root.leaveContext?.()` becomes `this.root.leaveContext?.(); this.end(closed)`',
      'Session.#undo: `await transaction.rollback() this.root.leaveContext?.()` becomes `this.root.leaveContext?.(); await transaction.rollback()`'
    ],
    reason: 'Every scope refuses by then.'
  },
  {
    file: 'src/session/session.ts',
    titles: [
      "Session.commitNow: `this.root.leaveContext?.() this.#runLater(this.callbacks.afterCommit, 'after the commit')` becomes `this.#runLater(this.callbacks.afterCommit, 'after the commit'); this.root.leaveContext?.()`",
      'Session.#undo: `this.root.leaveContext?.() this.#rolledBack()` becomes `this.#rolledBack(); this.root.leaveContext?.()`'
    ],
    reason: 'A session that has ended owns nothing that a callback opens, with or without its async context.'
  },
  {
    file: 'src/session/session.ts',
    titles: ['Session.#runLater: `callbacks.length > 0` becomes `true`', 'Session.#runLater: `callbacks.length > 0` becomes `callbacks.length >= 0`'],
    reason: 'It saves a promise: without callbacks none is called.'
  },
  {
    file: 'src/session/session.ts',
    titles: ['Session.#commit: `await this.#undoOnce()` becomes `this.#undoOnce()`'],
    reason: 'The promise is returned, and the caller awaits it.'
  },
  {
    file: 'src/session/scope-queue.ts',
    titles: [
      'ScopeQueue.take.timer: `this.#waiting.delete(call) reject(new TransactionScopeError())` becomes `reject(new TransactionScopeError()); this.#waiting.delete(call)`',
      'ScopeQueue.clear: `this.#leave(call) call.reject(reason())` becomes `call.reject(reason()); this.#leave(call)`',
      'ScopeQueue.#leave: `clearTimeout(call.timer) this.#waiting.delete(call)` becomes `this.#waiting.delete(call); clearTimeout(call.timer)`'
    ],
    reason: 'The refusal reaches its caller in a later turn.'
  },
  {
    file: 'src/session/transaction/commit-status.ts',
    titles: ['findCommitStatus: `performance.now() < deadline` becomes `performance.now() <= deadline`'],
    reason: 'One query more or less at the exact deadline.'
  },
  {
    file: 'src/session/transaction/reads-before-begin.ts',
    titles: ['Read.#reject: `this.#reads.session.reject(this.#requested, error) this.#end()` becomes `this.#end(); this.#reads.session.reject(this.#requested, error)`'],
    reason: 'A refused read does not prevent a commit, and its refusal reaches the caller in a later turn.'
  },
  {
    file: 'src/runtime/async-context.ts',
    titles: ['AsyncContext.current: `this.#users === 0` becomes `false`'],
    reason: 'A short cut: a storage that is off is empty.'
  }
]
