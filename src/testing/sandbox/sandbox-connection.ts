/**
 * A connection in a sandbox. It turns each transaction into a savepoint:
 *
 *     begin …      savepoint; set transaction read only, if requested
 *     commit       check deferred constraints; release savepoint
 *     rollback     rollback to savepoint; release savepoint
 *     autocommit   savepoint; the statement; then as commit or as rollback
 *
 * The context of a transaction is reset behind its commit: to PostgreSQL the transaction goes on.
 */
import { ConnectionError, TransactionClosedError } from '../../errors/errors.js'
import { notSent } from '../../connection/outcome.js'
import { cancelUntilIdle } from '../../connection/cancel-until-idle.js'
import { beginsTransaction, leading, noLead } from '../../statement/leading-statement.js'
import { control, endings, nothing } from '../../session/transaction/transaction-control.js'
import type { Connection } from '../../connection/connection.js'
import type { Task } from '../../connection/batch.js'
import type { Outcome } from '../../connection/outcome.js'
import type { TransactionStatus } from '../../pg/client.js'
import type { LentConnection } from '../../pool/connection-source.js'
import type { LeadingStatement } from '../../statement/leading-statement.js'
import type { Statement, StatementResult } from '../../statement/statement.js'

const savepoint = leading('savepoint data_access_sandbox')
const undo = leading('rollback to savepoint data_access_sandbox')
const readOnly = leading('set transaction read only')
const release = control('release savepoint data_access_sandbox')

/**
 * Runs the checks of COMMIT, then defers the constraints again for the next transaction.
 * A rollback could not restore that: it would also undo the work of the triggers that ran.
 */
const check = control(`do $$
declare deferred text;
begin
  set constraints all immediate;
  select string_agg(format('%I.%I', nspname, conname), ', ') into deferred
  from pg_constraint join pg_namespace on pg_namespace.oid = connamespace where condeferred;
  if deferred is not null then execute 'set constraints ' || deferred || ' deferred'; end if;
end $$`)

/** The pool of a {@link SandboxConnection}. */
export interface SandboxSource {
  /** How long to wait for a running statement when a transaction is destroyed. */
  readonly timeoutMillis: number
  /** Called when the next caller may have the connection. */
  readonly returned: () => void
}

export class SandboxConnection implements LentConnection {
  readonly #connection: Connection
  readonly #source: SandboxSource
  /** Whether there is a savepoint. */
  #isOpen = false
  #work: Promise<void> | undefined
  #refusal: Error | undefined
  /** The context of the transaction, if it has one. */
  #context: LeadingStatement | undefined

  constructor (connection: Connection, source: SandboxSource) {
    this.#connection = connection
    this.#source = source
  }

  get readCommitted (): boolean { return this.#connection.readCommitted }

  get server (): Connection['server'] { return this.#connection.server }

  get limits (): readonly LeadingStatement[] { return this.#connection.limits }

  /** Nothing commits by itself in a sandbox. */
  leading (): readonly LeadingStatement[] { return noLead }

  get status (): TransactionStatus { return this.#isOpen ? this.#connection.status : 'I' }

  get refusal (): Error | undefined { return this.#refusal ?? this.#connection.refusal }

  get isReleased (): boolean { return this.#refusal !== undefined }

  get isIdle (): boolean { return this.#work === undefined && this.#connection.isIdle }

  idle (): Promise<void> { return this.#work ?? this.#connection.idle() }

  cancel (timeoutMillis: number): Promise<void> { return this.#connection.cancel(timeoutMillis) }

  // To PostgreSQL it is in a transaction all the time.
  enterTransaction (): void {}

  leaveTransaction (): void {}

  run (statement: Statement, prelude: readonly LeadingStatement[] = noLead): Promise<Outcome> {
    return new Promise((resolve) => this.send([{ statement, done: resolve }], prelude))
  }

  send (tasks: readonly Task[], prelude: readonly LeadingStatement[] = noLead): void {
    const [first] = tasks as [Task]
    if (this.#refusal !== undefined) for (const { done } of tasks) done(notSent(this.#refusal))
    else if (first.statement === endings.commit) this.#follow(this.#commit(), tasks)
    else if (first.statement === endings.rollback) this.#follow(this.#rollBack(), tasks)
    else if (this.#isOpen) this.#connection.send(tasks, prelude)
    else if (beginsTransaction(prelude)) this.#begin(tasks, prelude)
    else this.#follow(this.#runAutocommit(first.statement, prelude), tasks)
  }

  release (): void {
    if (this.#refusal !== undefined) return
    if (this.#isOpen || !this.isIdle) return this.destroy()
    this.#refusal = new TransactionClosedError()
    this.#source.returned()
  }

  /** Rolls back the transaction. The connection stays open for the next caller. */
  destroy (): void {
    if (this.#refusal !== undefined) return
    this.#refusal = new ConnectionError()
    this.#clear().then(this.#source.returned)
  }

  async #clear (): Promise<void> {
    await cancelUntilIdle(this.#connection, this.#source.timeoutMillis)
    await this.#work
    await this.#rollBack()
  }

  /** Nothing runs behind the end of a transaction: a commit has no position in the WAL yet, so it has no token. */
  #follow (work: Promise<Outcome>, [first, ...behind]: readonly Task[]): void {
    this.#work = work.then((outcome) => {
      this.#work = undefined
      first?.done(outcome)
      for (const { done } of behind) done(notSent(new TransactionClosedError()))
    })
  }

  #begin (tasks: readonly Task[], [begin, ...prelude]: readonly LeadingStatement[]): void {
    const isReadOnly = /\bread only\b/.test(String(begin?.text))
    const own = isReadOnly ? [savepoint, readOnly] : [savepoint]
    this.#context = contextIn(prelude)
    const begun = ({ done }: Task) => (outcome: Outcome): void => {
      this.#isOpen ||= outcome.preludeDone > 0
      done({ ...outcome, preludeDone: Math.max(outcome.preludeDone - own.length + 1, 0) })
    }
    this.#connection.send(tasks.map((task) => ({ statement: task.statement, done: begun(task) })), [...own, ...prelude])
  }

  async #commit (): Promise<Outcome> {
    const [checked, released] = await this.#runAll([check, release, ...this.#context === undefined ? [] : [withdrawn(this.#context)]])
    if (checked.error !== undefined) {
      await this.#rollBack()
      return checked
    }
    this.#isOpen = false
    return endOutcome(released, 'COMMIT')
  }

  /** Several statements in one round trip. */
  #runAll (statements: readonly Statement[]): Promise<[Outcome, Outcome, ...Outcome[]]> {
    return new Promise((resolve) => {
      const outcomes: Outcome[] = []
      const done = (outcome: Outcome): void => {
        outcomes.push(outcome)
        if (outcomes.length === statements.length) resolve(outcomes as [Outcome, Outcome]) // there are two at least
      }
      this.#connection.send(statements.map((statement) => ({ statement, done })))
    })
  }

  async #rollBack (): Promise<Outcome> {
    if (!this.#isOpen) return notSent(new TransactionClosedError())
    this.#isOpen = false
    return endOutcome(await this.#connection.run(release, [undo]), 'ROLLBACK')
  }

  async #runAutocommit (statement: Statement, prelude: readonly LeadingStatement[]): Promise<Outcome> {
    // A text without values may hold several statements or a COPY. It is sent alone. With a context it is one statement.
    const isAlone = statement.kind === 'raw' && statement.values.length === 0 && prelude.length === 0
    this.#context = contextIn(prelude)
    const { preludeDone } = isAlone ? await this.#connection.run(nothing, [savepoint]) : { preludeDone: 0 }
    const outcome = await this.#connection.run(statement, isAlone ? noLead : [savepoint, ...prelude])
    this.#isOpen = preludeDone + outcome.preludeDone > 0
    if (outcome.error !== undefined) {
      await this.#rollBack()
      return outcome
    }
    const { error } = await this.#commit()
    return error === undefined ? outcome : { ...outcome, error, result: undefined }
  }
}

/** The context in a prelude: the only statement with values. */
function contextIn (prelude: readonly LeadingStatement[]): LeadingStatement | undefined {
  return prelude.find(({ values }) => values.length > 0)
}

/** Resets the settings of a context, which would hold beyond its savepoint. A value of NULL means the default. */
function withdrawn ({ text, name, values }: LeadingStatement): Statement {
  return { ...control(text, name), values: values.map((value, index) => index % 2 === 0 ? value : null) }
}

/** The outcome as PostgreSQL would report it for a COMMIT or ROLLBACK. */
function endOutcome (outcome: Outcome, command: 'COMMIT' | 'ROLLBACK'): Outcome {
  const result: StatementResult<never> = { rows: [], rowCount: null, command }
  return { ...outcome, preludeDone: 0, result: outcome.error === undefined ? result : undefined }
}
