/**
 * A connection in a sandbox. It turns each transaction into a savepoint:
 *
 *     begin …      savepoint; set transaction read only, if requested
 *     commit       check deferred constraints; release savepoint
 *     rollback     rollback to savepoint; release savepoint
 *     autocommit   savepoint; the statement; then as commit or as rollback
 */
import { ConnectionError, TransactionClosedError } from '../../errors/errors.js'
import { notSent } from '../../connection/outcome.js'
import { cancelUntilIdle } from '../../connection/cancel-until-idle.js'
import { control, endings, nothing } from '../../session/transaction/transaction-control.js'
import type { Connection } from '../../connection/connection.js'
import type { Task } from '../../connection/batch.js'
import type { Outcome } from '../../connection/outcome.js'
import type { TransactionStatus } from '../../pg/client.js'
import type { LentConnection } from '../../pool/connection-source.js'
import type { Statement, StatementResult } from '../../statement/statement.js'

const savepoint = 'savepoint data_access_sandbox'
const undo = 'rollback to savepoint data_access_sandbox'
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

  constructor (connection: Connection, source: SandboxSource) {
    this.#connection = connection
    this.#source = source
  }

  get readCommitted (): boolean { return this.#connection.readCommitted }

  get limits (): readonly string[] { return this.#connection.limits }

  /** Nothing commits by itself in a sandbox. */
  leading (): readonly string[] { return [] }

  get status (): TransactionStatus { return this.#isOpen ? this.#connection.status : 'I' }

  get refusal (): Error | undefined { return this.#refusal ?? this.#connection.refusal }

  get isReleased (): boolean { return this.#refusal !== undefined }

  get isIdle (): boolean { return this.#work === undefined && this.#connection.isIdle }

  idle (): Promise<void> { return this.#work ?? this.#connection.idle() }

  cancel (timeoutMillis: number): Promise<void> { return this.#connection.cancel(timeoutMillis) }

  // To PostgreSQL it is in a transaction all the time.
  enterTransaction (): void {}

  leaveTransaction (): void {}

  run (statement: Statement, prelude: readonly string[] = []): Promise<Outcome> {
    return new Promise((resolve) => this.send([{ statement, done: resolve }], prelude))
  }

  send (tasks: readonly Task[], prelude: readonly string[] = []): void {
    const [first] = tasks as [Task]
    if (this.#refusal !== undefined) for (const { done } of tasks) done(notSent(this.#refusal))
    else if (first.statement === endings.commit) this.#follow(this.#commit(), tasks)
    else if (first.statement === endings.rollback) this.#follow(this.#rollBack(), tasks)
    else if (this.#isOpen) this.#connection.send(tasks, prelude)
    else if (prelude.length > 0) this.#begin(tasks, prelude)
    else this.#follow(this.#runAutocommit(first.statement), tasks)
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

  #begin (tasks: readonly Task[], [begin, ...prelude]: readonly string[]): void {
    const isReadOnly = /\bread only\b/.test(String(begin))
    const own = isReadOnly ? [savepoint, 'set transaction read only'] : [savepoint]
    const begun = ({ done }: Task) => (outcome: Outcome): void => {
      this.#isOpen ||= outcome.preludeDone > 0
      done({ ...outcome, preludeDone: Math.max(outcome.preludeDone - own.length + 1, 0) })
    }
    this.#connection.send(tasks.map((task) => ({ statement: task.statement, done: begun(task) })), [...own, ...prelude])
  }

  async #commit (): Promise<Outcome> {
    const [checked, released] = await this.#runBoth(check, release)
    if (checked.error !== undefined) {
      await this.#rollBack()
      return checked
    }
    this.#isOpen = false
    return endOutcome(released, 'COMMIT')
  }

  /** Two statements in one round trip. */
  #runBoth (one: Statement, two: Statement): Promise<[Outcome, Outcome]> {
    return new Promise((resolve) => {
      let first: Outcome
      this.#connection.send([
        { statement: one, done: (outcome) => { first = outcome } },
        { statement: two, done: (outcome) => resolve([first, outcome]) }
      ])
    })
  }

  async #rollBack (): Promise<Outcome> {
    if (!this.#isOpen) return notSent(new TransactionClosedError())
    this.#isOpen = false
    return endOutcome(await this.#connection.run(release, [undo]), 'ROLLBACK')
  }

  async #runAutocommit (statement: Statement): Promise<Outcome> {
    // A text without values may hold several statements or a COPY. It is sent alone.
    const isAlone = statement.kind === 'raw' && statement.values.length === 0
    const { preludeDone } = isAlone ? await this.#connection.run(nothing, [savepoint]) : { preludeDone: 0 }
    const outcome = await this.#connection.run(statement, isAlone ? [] : [savepoint])
    this.#isOpen = preludeDone + outcome.preludeDone > 0
    if (outcome.error !== undefined) {
      await this.#rollBack()
      return outcome
    }
    const { error } = await this.#commit()
    return error === undefined ? outcome : { ...outcome, error, result: undefined }
  }
}

/** The outcome as PostgreSQL would report it for a COMMIT or ROLLBACK. */
function endOutcome (outcome: Outcome, command: 'COMMIT' | 'ROLLBACK'): Outcome {
  const result: StatementResult<never> = { rows: [], rowCount: null, command }
  return { ...outcome, preludeDone: 0, result: outcome.error === undefined ? result : undefined }
}
