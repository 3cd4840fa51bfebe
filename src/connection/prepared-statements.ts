import { followConfirmations } from '../pg/client.js'
import type { ClientBase } from 'pg'

/** One named statement of a connection. */
export interface PreparedStatement {
  readonly name: string
  /** Whether PostgreSQL has another statement under this name than was thought, or none: it is closed before it is parsed again. */
  isDoubtful: boolean
  /** Whether its columns were asked for: they stay the same for as long as the connection knows the name. */
  isDescribed: boolean
  /** How its rows are read. */
  readRow: ((fields: ReadonlyArray<string | null>) => unknown) | undefined
  used: number
}

/** A Parse or a Close on its way; of a statement without a name nothing is to be remembered. */
interface Change {
  readonly statement: PreparedStatement | undefined
  readonly isClose: boolean
}

/** What an error may say of a name. */
export interface Refusal {
  readonly code?: unknown
  /** The function in PostgreSQL's source that raised it, in no language. */
  readonly routine?: unknown
}

const unnamed: Change = { statement: undefined, isClose: false }

/** Each costs PostgreSQL about 20 KB of its backend's memory. */
export const mostNames = 100

/**
 * The statements that PostgreSQL keeps by their names for one connection: never more than a bounded number, the least used of
 * which makes room.
 *
 * Nothing is believed but PostgreSQL's word: a name is known from its ParseComplete to its CloseComplete. What stood in a group
 * behind a failure was skipped, a Close as well. One group at a time writes its changes here, and PostgreSQL confirms them in
 * the same order.
 */
export class PreparedStatements {
  readonly #known = new Map<string, PreparedStatement>()
  readonly #changes: Change[] = []
  #confirmed = 0
  #bound = 0
  #clock = 0
  #isFollowing = false
  /** Whether what PostgreSQL confirms is the group's, and not somebody else's query. */
  #isAwaited = false

  /** A group begins to be written. */
  begin (client: ClientBase): void {
    if (!this.#isFollowing) followConfirmations(client, { confirmed: () => this.#confirm(), bound: () => { this.#bound++ } })
    this.#isFollowing = true
    this.#changes.length = 0
  }

  /** The group is sent. */
  send (): void {
    this.#confirmed = 0
    this.#bound = 0
    this.#isAwaited = true
  }

  /** Whether no statement of the group that was sent last has got its values. */
  get isUnbound (): boolean { return this.#bound === 0 }

  /** Nothing more comes for the group. */
  end (): void { this.#isAwaited = false }

  /** How many changes were written. */
  get length (): number { return this.#changes.length }

  /** Forgets the changes behind a place: they are not sent. */
  cut (length: number): void { this.#changes.length = length }

  /** The statement that PostgreSQL will have under a name behind all that was written. */
  find (name: string): PreparedStatement | undefined {
    for (let place = this.#changes.length - 1; place >= 0; place--) {
      const { statement, isClose } = this.#changes[place] as Change
      if (statement?.name === name) return isClose ? undefined : statement
    }
    return this.#known.get(name)
  }

  /** A statement will be used by the group that begins next. */
  keep (name: string): void { this.use(this.#known.get(name)) }

  /** A statement is used now: those used last are closed last. */
  use (statement: PreparedStatement | undefined): void {
    if (statement !== undefined) statement.used = ++this.#clock
  }

  /** The statement that was not used for longest, when there is no room for one more. */
  surplus (): PreparedStatement | undefined {
    if (this.#known.size + this.#changes.length < mostNames) return undefined
    const coming = new Map(this.#known)
    for (const { statement, isClose } of this.#changes) {
      if (isClose) coming.delete(String(statement?.name))
      else if (statement !== undefined) coming.set(statement.name, statement)
    }
    if (coming.size < mostNames) return undefined
    let oldest: PreparedStatement | undefined
    for (const statement of coming.values()) if (oldest === undefined || statement.used < oldest.used) oldest = statement
    return oldest
  }

  /** A Parse was written. */
  parse (name: string): PreparedStatement {
    const statement = { name, isDoubtful: false, isDescribed: false, readRow: undefined, used: 0 }
    this.#changes.push({ statement, isClose: false })
    return statement
  }

  /** The Parse of a statement without a name was written. */
  parseUnnamed (): void { this.#changes.push(unnamed) }

  /** A Close was written. */
  close (statement: PreparedStatement): void { this.#changes.push({ statement, isClose: true }) }

  #confirm (): void {
    const change = this.#isAwaited ? this.#changes[this.#confirmed++] : undefined
    if (change?.statement === undefined) return
    const { statement, isClose } = change
    if (isClose) this.#known.delete(statement.name)
    else this.#known.set(statement.name, statement)
  }

  /**
   * Whether a failure is about the name, and not about what its statement does; what is not certain then is in doubt from now on.
   *
   * The same SQLSTATEs may come from the user's own SQL, a trigger say, but only behind the answer to Bind; and while a plan is
   * made, "not supported" may come from a function. Such a failure has another origin than the look at a plan that was kept.
   * `place` is that of the statement in the group.
   */
  isRefused (statement: PreparedStatement, { code, routine }: Refusal, place: number): boolean {
    if (this.#bound > place) return false
    if (code === '26000') {
      // One is gone: whoever has dropped it, DISCARD ALL or a pooler that has changed the server, has hardly dropped it alone.
      for (const known of this.#known.values()) known.isDoubtful = true
      return true
    }
    const isParsedHere = this.#changes.some((change) => change.statement === statement)
    const isStale = code === '42P05' || (code === '0A000' && !isParsedHere && (routine ?? planCheck) === planCheck)
    if (isStale) {
      statement.isDoubtful = true
      this.#known.set(statement.name, statement)
    }
    return isStale
  }

  /** PostgreSQL has forgotten all of them. */
  clear (): void { this.#known.clear() }
}

/** Where PostgreSQL finds out that a statement's columns are others than they were. */
const planCheck = 'RevalidateCachedQuery'
