/**
 * The rules of sessions as a plain program in memory: no connection, no promise, one step after the other.
 *
 * Parallel work is reduced to call order. Calls that are not awaited are deferred until a call is awaited, and then done in the order of the calls;
 * a call that needs no connection, such as registering a callback, is done at once.
 */
import { ModelTransaction } from './model-transaction.js'
import { anything } from './prediction.js'
import { isJoined } from './program.js'
import type { Prediction } from './prediction.js'
import type { Body, CallbackKind, Ending, Moment, SessionProgram, StatementStep, Step } from './program.js'

interface ModelCallback {
  readonly name: string
  readonly kind: CallbackKind
}

class ModelScope {
  readonly parent: ModelScope | undefined
  /** Whether its savepoint was sent with a statement. */
  isSent = false
  rollbackOnly = false
  readonly callbacks: Record<Moment, ModelCallback[]> = { beforeCommit: [], afterCommit: [], afterRollback: [] }
  /** The deferred calls, in call order. */
  readonly deferred: Array<{ readonly path: string, readonly opens: boolean, readonly act: () => void }> = []
  /** The scopes that an ended function left open. */
  leftOpen: Array<{ readonly path: string, readonly scope: ModelScope, readonly throws: boolean }> = []

  constructor (parent?: ModelScope) { this.parent = parent }
}

const thrown = 'Thrown'
const refused = 'refused'
const ok = 'ok'

export class Interpreter {
  readonly #program: SessionProgram
  readonly #transaction: ModelTransaction
  readonly #top = new ModelScope()
  readonly #answers = new Map<string, string>()
  readonly #beforeCommit: string[] = []
  #afterCommit: readonly string[] = []
  readonly #afterRollback: string[][] = []
  #ended = false
  #settled: 'no' | 'committed' | 'undone' = 'no'
  #commitAnswer: string | undefined
  /** Whether the user rolled it back before anything else settled it. */
  #isRolledBack = false
  #mayHaveOpened = false

  constructor (program: SessionProgram) {
    this.#program = program
    const { begin = program.way === 'transaction' ? 'firstQuery' : 'firstWrite', isolationLevel } = program.options
    this.#transaction = new ModelTransaction(begin === 'firstWrite' && isolationLevel === undefined)
  }

  predict (): Prediction {
    const { way, body, endings, endsInParallel } = this.#program
    const throws = this.#runBody(body, this.#top, 'b')
    if (way === 'createSession') this.#endByHand(endings, endsInParallel)
    else this.#endByFunction(throws)
    this.#abandon(this.#top)
    const settledOutcome = this.#settled === 'committed' ? 'committed' : 'rolledBack'
    const outcome = this.#transaction.isOpen ? settledOutcome : 'none'
    return {
      answers: this.#answers,
      rows: this.#transaction.committed,
      outcomes: this.#mayHaveOpened ? [outcome, 'rolledBack'] : [outcome],
      beforeCommit: this.#beforeCommit,
      afterCommit: this.#afterCommit,
      afterRollback: this.#afterRollback.filter(({ length }) => length > 0)
    }
  }

  /** Runs the function, and returns whether it throws. */
  #runBody (body: Body, scope: ModelScope, path: string): boolean {
    const { steps, throws, leavesOpen } = body
    for (const [position, step] of steps.entries()) this.#step(step, scope, `${path}.${position}`)
    if (isJoined(body)) this.#flush(scope)
    if (leavesOpen !== undefined) this.#leaveOpen(leavesOpen, scope, `${path}.open`)
    return throws
  }

  #step (step: Step, scope: ModelScope, path: string): void {
    switch (step.do) {
      case 'statement': return this.#call(scope, path, {
        awaited: step.awaited,
        opens: !/read/i.test(step.statement.run),
        act: () => { this.#answers.set(path, this.#statement(step.statement, scope, path)) }
      })
      case 'scope': return this.#call(scope, path, {
        awaited: step.awaited,
        opens: true,
        act: () => { this.#answers.set(path, this.#scope(step.body, scope, path)) }
      })
      case 'callback':
        if (this.#ended) this.#answers.set(path, refused)
        else scope.callbacks[step.moment].push({ name: path, kind: step.kind })
        return
      case 'rollbackOnly':
        scope.rollbackOnly = true
        return
      case 'alone': return this.#flush(scope)
      case 'end': return this.#endEarly(step.how, scope, path)
      case 'kill':
        this.#flush(scope)
        if (this.#statement({ run: 'select' }, scope, path) === ok) this.#transaction.lose()
    }
  }

  #call (scope: ModelScope, path: string, { awaited, opens, act }: { awaited: boolean, opens: boolean, act: () => void }): void {
    if (this.#ended) return act()
    scope.deferred.push({ path, opens, act })
    if (awaited) this.#flush(scope)
  }

  #flush (scope: ModelScope): void {
    for (const { act } of scope.deferred.splice(0)) act()
  }

  #statement (step: StatementStep, scope: ModelScope, path: string): string {
    return this.#ended ? refused : this.#transaction.run(step, scope, path)
  }

  #scope (body: Body, parent: ModelScope, path: string): string {
    if (this.#ended) return refused
    const savepoint = this.#transaction.savepoint()
    const scope = new ModelScope(parent)
    const throws = this.#runBody(body, scope, path)
    this.#flush(scope)
    const answer = throws ? thrown : this.#obstacleOf(scope)
    if (answer === undefined && !scope.rollbackOnly) {
      for (const moment of ['beforeCommit', 'afterCommit', 'afterRollback'] as const) parent.callbacks[moment].push(...scope.callbacks[moment])
    } else {
      if (!this.#ended) this.#transaction.undo(savepoint)
      this.#afterRollback.push(calls(scope.callbacks.afterRollback))
    }
    this.#abandon(scope)
    return answer ?? ok
  }

  #obstacleOf (scope: ModelScope): string | undefined {
    if (this.#ended) return refused
    if (scope.rollbackOnly) return undefined
    return scope.leftOpen.length > 0 ? 'TransactionScopeError' : this.#transaction.obstacle
  }

  #leaveOpen (body: Body, parent: ModelScope, path: string): void {
    this.#flush(parent)
    if (this.#ended) {
      this.#answers.set(path, refused)
      return
    }
    const scope = new ModelScope(parent)
    this.#runBody(body, scope, path)
    this.#flush(scope)
    parent.leftOpen.push({ path, scope, throws: body.throws })
  }

  /** Scopes that were left open go on when the scope around them is over, and are refused. */
  #abandon ({ leftOpen }: ModelScope): void {
    for (const { path, scope, throws } of leftOpen.splice(0)) {
      this.#answers.set(`${path}.late`, refused)
      this.#answers.set(path, throws ? thrown : refused)
      this.#afterRollback.push(calls(scope.callbacks.afterRollback))
    }
  }

  #endEarly (how: Ending, scope: ModelScope, path: string): void {
    this.#flush(scope)
    // Everything pending is answered first, so that the result does not depend on the speed of a cancel.
    if (how !== 'commit') this.#statement({ run: 'select' }, scope, path)
    this.#answers.set(path, this.#end(how))
  }

  #endByHand (endings: readonly Ending[], inParallel: boolean): void {
    const isPrevented = inParallel && endings[0] === 'commit' && endings.includes('abort') && this.#settled === 'no'
    for (const [position, how] of endings.entries()) {
      this.#answers.set(`end.${position}`, isPrevented && how === 'commit' ? this.#prevented() : this.#end(how))
    }
  }

  #endByFunction (throws: boolean): void {
    if (throws) this.#end('rollback')
    this.#answers.set('end', throws ? thrown : this.#isRolledBack ? ok : this.#end('commit'))
  }

  #end (how: Ending): string {
    if (how === 'commit') {
      this.#commitAnswer ??= this.#settled === 'no' ? this.#commit() : refused
      return this.#commitAnswer
    }
    if (this.#settled === 'no') {
      this.#isRolledBack = how !== 'abort'
      this.#interrupt()
      this.#undo()
    }
    return ok
  }

  #prevented (): string {
    this.#end('abort')
    this.#commitAnswer = refused
    return refused
  }

  /** Pending calls may or may not have arrived when everything is undone. */
  #interrupt (): void {
    for (const { path, opens } of this.#top.deferred.splice(0)) {
      this.#answers.set(path, anything)
      if (opens) this.#mayHaveOpened = true
    }
  }

  #undo (): void {
    this.#ended = true
    this.#settled = 'undone'
    this.#afterRollback.push(calls(this.#top.callbacks.afterRollback))
  }

  #commit (): string {
    const answer = this.#prepare() ?? (this.#top.rollbackOnly ? undefined : this.#transaction.commit())
    this.#ended = true
    if (answer !== undefined || this.#top.rollbackOnly) {
      this.#undo()
    } else {
      this.#settled = 'committed'
      this.#afterCommit = calls(this.#top.callbacks.afterCommit)
    }
    return answer ?? ok
  }

  #prepare (): string | undefined {
    this.#flush(this.#top)
    for (const callback of this.#top.callbacks.beforeCommit) {
      if (this.#top.rollbackOnly) return undefined
      const failure = this.#transaction.obstacle ?? this.#callBeforeCommit(callback)
      if (failure !== undefined) return failure
    }
    if (this.#top.rollbackOnly) return undefined
    return this.#top.leftOpen.length > 0 ? 'TransactionScopeError' : this.#transaction.obstacle
  }

  #callBeforeCommit ({ name, kind }: ModelCallback): string | undefined {
    this.#beforeCommit.push(...calls([{ name, kind }]))
    if (kind === 'throw') return thrown
    if (kind !== 'write' && kind !== 'tryToWrite') return undefined
    const answer = this.#statement({ run: 'create', key: keyOfCallback(name) }, this.#top, name)
    this.#answers.set(name, answer)
    return answer === ok || kind === 'tryToWrite' ? undefined : answer
  }
}

/** The key of the row that a callback writes. */
export function keyOfCallback (name: string): number {
  return 30 + name.length % 3
}

function calls (callbacks: readonly ModelCallback[]): string[] {
  return callbacks.flatMap(({ name, kind }) => kind === 'slow' ? [name, `${name} ended`] : [name])
}
