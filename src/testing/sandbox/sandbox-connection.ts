/**
 * A connection in a sandbox, which makes of one transaction after the other one savepoint after the other:
 *
 *     begin …    savepoint; set transaction read only, if that was asked for
 *     commit     deferred constraints are checked; release savepoint
 *     rollback   rollback to savepoint; release savepoint
 *     a statement that would commit by itself: a savepoint, the statement, and one of the two
 */
import { ConnectionError, TransactionClosedError } from '../../errors/errors.js'
import { notSent } from '../../connection/outcome.js'
import { cancelUntilIdle } from '../../connection/cancel-until-idle.js'
import { control, endings, nothing } from '../../session/transaction-control.js'
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
 * Checks what is checked at COMMIT, and lets the next transaction start with the constraints as they were declared.
 * A check cannot be undone for that: triggers that ran have done their work.
 */
const check = control(`do $$
declare deferred text;
begin
  set constraints all immediate;
  select string_agg(format('%I.%I', nspname, conname), ', ') into deferred
  from pg_constraint join pg_namespace on pg_namespace.oid = connamespace where condeferred;
  if deferred is not null then execute 'set constraints ' || deferred || ' deferred'; end if;
end $$`)

/** Where a connection comes from. */
export interface SandboxHome {
  /** The longest wait for the end of what runs, when a transaction is given up. */
  readonly timeoutMillis: number
  /** Called when the next one may have the connection. */
  readonly returned: () => void
}

export class SandboxConnection implements LentConnection {
  readonly #connection: Connection
  readonly #home: SandboxHome
  /** Whether there is a savepoint. */
  #isOpen = false
  #work: Promise<void> | undefined
  #refusal: Error | undefined

  constructor (connection: Connection, home: SandboxHome) {
    this.#connection = connection
    this.#home = home
  }

  get readCommitted (): boolean { return this.#connection.readCommitted }

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
    else if (first.statement === endings.commit) this.#follow(this.#commit(), first)
    else if (first.statement === endings.rollback) this.#follow(this.#rollBack(), first)
    else if (this.#isOpen) this.#connection.send(tasks, prelude)
    else if (prelude.length > 0) this.#begin(tasks, prelude)
    else this.#follow(this.#runAlone(first.statement), first)
  }

  release (): void {
    if (this.#refusal !== undefined) return
    if (this.#isOpen || !this.isIdle) return this.destroy()
    this.#refusal = new TransactionClosedError()
    this.#home.returned()
  }

  /** Undoes what is under way: the connection itself is needed for what comes next. */
  destroy (): void {
    if (this.#refusal !== undefined) return
    this.#refusal = new ConnectionError()
    this.#clear().then(this.#home.returned)
  }

  async #clear (): Promise<void> {
    await cancelUntilIdle(this.#connection, this.#home.timeoutMillis)
    await this.#work
    await this.#rollBack()
  }

  #follow (work: Promise<Outcome>, { done }: Task): void {
    this.#work = work.then((outcome) => {
      this.#work = undefined
      done(outcome)
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
    return answered(released, 'COMMIT')
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
    return answered(await this.#connection.run(release, [undo]), 'ROLLBACK')
  }

  async #runAlone (statement: Statement): Promise<Outcome> {
    // Without values the text may be anything: several statements, a COPY. Such a one travels alone.
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

/** As PostgreSQL answers where a transaction ends. */
function answered (outcome: Outcome, command: 'COMMIT' | 'ROLLBACK'): Outcome {
  const result: StatementResult<never> = { rows: [], rowCount: null, command }
  return { ...outcome, preludeDone: 0, result: outcome.error === undefined ? result : undefined }
}
