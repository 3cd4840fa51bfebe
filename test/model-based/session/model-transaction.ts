import { baseRows, secondKeyOffset, show, valueAt } from './prediction.js'
import type { Rows } from './prediction.js'
import type { StatementStep } from './program.js'

/** The part of a scope that matters here: whether its savepoint was sent, and the scopes around it. */
interface SavepointPlace {
  readonly parent: SavepointPlace | undefined
  isSent: boolean
}

interface State {
  readonly rows: Rows
  /** Keys of rows whose foreign key COMMIT will refuse. */
  readonly orphans: ReadonlySet<number>
  /** The failure that has not been undone. */
  readonly failure: string | undefined
  /** The error of a write that was not sent. */
  readonly unsent: string | undefined
}

const ok = 'ok'

/** One transaction in memory, and its effect on the rows. */
export class ModelTransaction {
  committed: Rows = baseRows
  isOpen = false
  readonly #readsOutside: boolean
  #state: State = { rows: baseRows, orphans: new Set(), failure: undefined, unsent: undefined }
  /** The reason why nothing can be sent any more. */
  #refusal: string | undefined

  constructor (readsOutside: boolean) {
    this.#readsOutside = readsOutside
  }

  /** The reason why nothing can be kept, if there is one. */
  get obstacle (): string | undefined {
    if (this.#refusal !== undefined) return this.#refusal
    const cause = this.#state.unsent ?? this.#state.failure
    return cause && `TransactionAbortedError: ${cause}`
  }

  /** The state that {@link undo} restores. */
  savepoint (): State { return this.#state }

  undo (savepoint: State): void { this.#state = savepoint }

  /** Loses the connection. */
  lose (): void { this.#refusal ??= 'ConnectionError' }

  /** Commits, or returns the error that prevented it. */
  commit (): string | undefined {
    if (this.#state.orphans.size > 0) return 'ForeignKeyViolationError'
    this.committed = this.#state.rows
    return undefined
  }

  run (step: StatementStep, place: SavepointPlace, path: string): string {
    const isRead = step.run === 'read' || step.run === 'failingRead'
    if (isRead && this.#readsOutside && !this.isOpen) return step.run === 'read' ? show(this.committed) : 'DatabaseError'
    this.isOpen = true
    const notSent = this.#refusal ?? (step.run === 'unsendable' ? 'ValidationError' : undefined)
    if (notSent !== undefined) {
      if (!isRead) this.#state = { ...this.#state, unsent: this.#state.unsent ?? notSent }
      return notSent
    }
    return this.#send(step, place, path)
  }

  #send (step: StatementStep, place: SavepointPlace, path: string): string {
    const isFailed = this.#state.failure !== undefined
    // A savepoint that has not been sent can no longer be made, so PostgreSQL skips the statement after it.
    if (isFailed && (step.run !== 'endTransaction' || hasUnsent(place))) return 'TransactionAbortedError'
    for (let scope: SavepointPlace | undefined = place; scope !== undefined; scope = scope.parent) scope.isSent = true
    if (step.run === 'endTransaction') return this.#endedByUser(step.text)
    const answer = this.#change(step, valueAt(path))
    if (/Error$/.test(answer)) this.#state = { ...this.#state, failure: answer }
    return answer
  }

  #endedByUser (text: string): string {
    const commits = /^(commit|end)/.test(text) && this.#state.failure === undefined
    const failure = commits ? this.commit() : undefined
    this.#refusal = 'TransactionBrokenError'
    return failure ?? ok
  }

  #change (step: Exclude<StatementStep, { run: 'endTransaction' }>, value: number): string {
    const { rows } = this.#state
    switch (step.run) {
      case 'read': return show(rows)
      case 'update': return rows.has(step.key) ? this.#write([[step.key, value]]) : 'none'
      case 'delete': return rows.has(step.key) ? this.#delete(step.key) : 'none'
      case 'create': case 'insert': return rows.has(step.key) ? 'UniqueViolationError' : this.#write([[step.key, value]])
      case 'insertTwo': {
        const keys = [step.key, step.key + secondKeyOffset]
        return keys.some((key) => rows.has(key)) ? 'UniqueViolationError' : this.#write(keys.map((key) => [key, value]))
      }
      case 'orphan': {
        if (rows.has(step.key)) return 'UniqueViolationError'
        this.#state = { ...this.#state, orphans: new Set([...this.#state.orphans, step.key]) }
        return this.#write([[step.key, value]])
      }
      case 'select': return ok
      default: return 'DatabaseError'
    }
  }

  #write (entries: ReadonlyArray<readonly [number, number]>): string {
    this.#state = { ...this.#state, rows: new Map([...this.#state.rows, ...entries]) }
    return ok
  }

  #delete (key: number): string {
    const without = (given: Iterable<number>): number[] => [...given].filter((other) => other !== key)
    const { rows, orphans } = this.#state
    this.#state = { ...this.#state, rows: new Map([...rows].filter(([other]) => other !== key)), orphans: new Set(without(orphans)) }
    return ok
  }
}

function hasUnsent (place: SavepointPlace): boolean {
  for (let scope: SavepointPlace | undefined = place; scope?.parent !== undefined; scope = scope.parent) if (!scope.isSent) return true
  return false
}
