/**
 * The sessions of one request in several databases. They have one decision: all commit, or all roll back.
 *
 *     beforeCommit callbacks of all ──> gates closed ──> running statements finished ──> deferred constraints checked
 *     ──> all are sealed ──> COMMIT of one after the other, in the order of registration
 *
 * Until all are sealed, everything that can prevent the commit of one prevents that of all: a callback, a failed statement, a lost
 * connection, `rollbackOnly()`, an abort. No constraint is left to fail at COMMIT. What remains is a database that is lost, or a
 * serializable transaction that is refused, between the first COMMIT and a later one: there is no transaction across databases.
 * The sessions behind one that failed are rolled back.
 */
import { CommitUnknownError, PartialCommitError, TransactionClosedError } from '../errors/errors.js'
import { ignore } from '../runtime/promises.js'
import { closed } from './transaction/end-reason.js'
import type { CommitGroup, CommitSteps } from './commit-steps.js'
import type { Session } from './session.js'
import type { SessionOutcome, SessionUnit } from './session-unit.js'

/** One session of a group. */
interface Member {
  readonly name: string
  /** Members commit in this order. */
  readonly place: number
  readonly session: Session
  readonly steps: CommitSteps
}

export class SessionGroup implements SessionUnit, CommitGroup {
  #members: Member[] = []
  #committing: Promise<void> | undefined
  #undoing: Promise<void> | undefined
  #isRolledBack = false
  /** Whether all statements are refused, also those of a session that is made from now on. */
  #isGated = false
  #isPartial = false
  #veto: Error | undefined
  #prevent: (reason: Error) => void = ignore

  /** The session of a database; it is made when it is first asked for. A group that was decided gives one that has ended. */
  open (name: string, place: number, lend: () => Session): Session {
    const known = this.#members.find((member) => member.name === name)
    if (known !== undefined) return known.session
    const session = lend()
    const member = { name, place, session, steps: session.join(this) }
    this.#members = [...this.#members, member].sort((one, other) => one.place - other.place)
    if (this.#veto !== undefined) session.abort(this.#veto)
    else if (this.#undoing !== undefined) session.abort(new TransactionClosedError())
    else if (this.#committing !== undefined) member.steps.begin(this.#committing, this.#prevent)
    if (this.#isGated) member.steps.closeGate()
    return session
  }

  /** The sessions, by the names of their databases. */
  get sessions (): ReadonlyMap<string, Session> { return new Map(this.#members.map(({ name, session }) => [name, session])) }

  get outcome (): SessionOutcome {
    const outcomes = this.#members.map(({ session }) => session.outcome)
    if (this.#isPartial) return 'unknown'
    return (['unknown', 'committed', 'open', 'rolledBack'] as const).find((outcome) => outcomes.includes(outcome)) ?? 'none'
  }

  get isRolledBack (): boolean { return this.#isRolledBack }

  get isSettled (): boolean { return this.#committing !== undefined || this.#undoing !== undefined }

  get isUsed (): boolean { return this.#members.some(({ session }) => session.isUsed) }

  get isBusy (): boolean { return this.#members.some(({ session }) => session.isBusy) }

  get asked (): number { return this.#members.reduce((sum, { session }) => sum + session.asked, 0) }

  commit (): Promise<void> {
    if (this.#committing === undefined) {
      this.#committing = this.#undoing === undefined ? this.#commit() : this.#refuse(this.#undoing)
      this.#committing.catch(ignore)
      for (const { steps } of this.#members) steps.begin(this.#committing, this.#prevent)
    }
    return this.#committing
  }

  rollback (): Promise<void> {
    if (this.#committing !== undefined) return this.#committing.catch(ignore)
    this.#isRolledBack = true
    this.#undoing ??= all(this.#members, ({ steps }) => steps.rollback())
    return this.#undoing
  }

  async close (): Promise<void> {
    await this.rollback()
    await this.endStreams(closed)
  }

  abort (reason: Error): void {
    this.#veto ??= reason
    for (const { session } of this.#members) session.abort(reason)
  }

  commitNow (): boolean {
    if (this.isSettled || !this.#members.every(({ session }) => session.hasNothingToCommit)) return false
    this.#isGated = true
    this.#committing = Promise.resolve()
    for (const { session } of this.#members) session.commitNow()
    return true
  }

  endStreams (reason: () => Error): Promise<void> {
    return all(this.#members, ({ session }) => session.endStreams(reason))
  }

  async #refuse (undoing: Promise<void>): Promise<never> {
    await undoing
    throw new TransactionClosedError('The transaction was rolled back before: nothing was saved')
  }

  async #commit (): Promise<void> {
    let writers: readonly Member[] | undefined
    try {
      writers = await this.#prepareOrAbort()
    } catch (error) {
      await this.#undo(this.#members)
      throw error
    }
    if (writers === undefined) return await this.#undo(this.#members)
    await this.#commitEach(writers)
  }

  #prepareOrAbort (): Promise<readonly Member[] | undefined> {
    return new Promise((resolve, reject) => {
      this.#prevent = reject
      this.#prepare().then(resolve, reject)
    })
  }

  /** Does everything that may prevent the commit; resolves with the members that have written, or with nothing after `rollbackOnly()`. */
  async #prepare (): Promise<readonly Member[] | undefined> {
    for (;;) {
      await all(this.#members, ({ steps }) => steps.idle())
      if (!this.#mayCommit()) return undefined
      // A callback may add others, to any session, and open the session of another database.
      const next = this.#members.find(({ steps }) => steps.hasCallbacks())
      if (next === undefined) break
      await next.steps.callNext()
    }
    this.#isGated = true
    for (const { steps } of this.#members) steps.closeGate()
    const writers = this.#members.filter(({ steps }) => steps.hasWritten())
    // COMMIT checks the constraints of the first one: if it fails, none of the others has committed.
    const check = (): Promise<void> => all(this.#members.filter(isOpen).slice(1), ({ steps }) => steps.checkConstraints())
    for (const work of [() => all(this.#members, ({ steps }) => steps.idle()), check]) {
      await work()
      if (!this.#mayCommit()) return undefined
    }
    for (const { steps } of this.#members) steps.seal()
    return writers
  }

  #mayCommit (): boolean {
    if (this.#members.some(({ steps }) => steps.mustRollBack())) return false
    return this.#members.every(({ steps }) => steps.mayCommit())
  }

  async #commitEach (writers: readonly Member[]): Promise<void> {
    const committed: Member[] = []
    for (const [index, member] of this.#members.entries()) {
      try {
        await member.steps.commit()
        if (writers.includes(member)) committed.push(member)
      } catch (error) {
        const behind = this.#members.slice(index + 1)
        await this.#undo(behind)
        this.#isPartial = committed.length > 0
        throw this.#explained(error, { committed: namesOf(committed), failed: member.name, rolledBack: namesOf(behind.filter(isOpen)) })
      }
    }
  }

  #explained (error: unknown, outcomes: { committed: string[], failed: string, rolledBack: string[] }): unknown {
    if (this.#isPartial) return new PartialCommitError(undefined, { cause: error, context: { operation: 'commit', ...outcomes } })
    if (!(error instanceof CommitUnknownError)) return error
    return new CommitUnknownError(undefined, { cause: error.cause, context: { ...error.context, ...outcomes } })
  }

  #undo (members: readonly Member[]): Promise<void> {
    this.#isGated = true
    return all(members, ({ steps }) => steps.undo())
  }
}

function isOpen ({ session }: Member): boolean {
  return session.outcome !== 'none'
}

function namesOf (members: readonly Member[]): string[] {
  return members.map(({ name }) => name)
}

async function all (members: readonly Member[], work: (member: Member) => unknown): Promise<void> {
  await Promise.all(members.map(work))
}
