import { followConfirmations } from '../../pg/client.js'
import { sqlStates } from '../../errors/sqlstate-codes.js'
import type { ClientBase } from 'pg'

/** One named statement of a connection. */
export interface PreparedStatement {
  readonly name: string
  /** Whether PostgreSQL may have another statement of this name, or none: it is closed before it is parsed again. */
  isDoubtful: boolean
  /** Whether its columns are known: they stay the same as long as the connection has the name. */
  isDescribed: boolean
  /** How its rows are read. */
  readRow: ((fields: ReadonlyArray<string | null>) => unknown) | undefined
  used: number
}

/** A Parse or a Close that was sent; without a statement if that is unnamed. */
interface Change {
  readonly statement: PreparedStatement | undefined
  readonly isClose: boolean
}

/** The fields of an error that show whether it is about a prepared statement. */
export interface Refusal {
  readonly code?: unknown
  /** The function in PostgreSQL's source that raised it; it is never translated. */
  readonly routine?: unknown
}

const unnamed: Change = { statement: undefined, isClose: false }

/**
 * The prepared statements of one connection. Their number is bounded; the least recently used one makes room.
 *
 * Only PostgreSQL's confirmation counts: a name is known from its ParseComplete to its CloseComplete. After a failure PostgreSQL
 * skips the rest of a group, also a Close. One group at a time records its changes here, and PostgreSQL confirms them in order.
 */
export class PreparedStatements {
  readonly #known = new Map<string, PreparedStatement>()
  readonly #changes: Change[] = []
  #confirmed = 0
  #bound = 0
  #clock = 0
  #isFollowing = false
  /** Whether confirmations belong to the group, not to a query of another library. */
  #isAwaited = false

  /** Begins to record a group. */
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

  /** Whether no BindComplete has come for the group that was sent last. */
  get isUnbound (): boolean { return this.#bound === 0 }

  /** The response to the group is complete. */
  end (): void { this.#isAwaited = false }

  /** How many changes were recorded. */
  get length (): number { return this.#changes.length }

  /** Drops the changes after a position: they are not sent. */
  cut (length: number): void { this.#changes.length = length }

  /** The statement that PostgreSQL will have under a name after the recorded changes. */
  find (name: string): PreparedStatement | undefined {
    for (let index = this.#changes.length - 1; index >= 0; index--) {
      const { statement, isClose } = this.#changes[index] as Change
      if (statement?.name === name) return isClose ? undefined : statement
    }
    return this.#known.get(name)
  }

  /** Marks a statement that the next group will use. */
  keep (name: string): void { this.use(this.#known.get(name)) }

  /** Marks a statement as used: the least recently used one is closed first. */
  use (statement: PreparedStatement | undefined): void {
    if (statement !== undefined) statement.used = ++this.#clock
  }

  /** The least recently used statement, if there is no room for one more among this many. */
  surplus (mostNames: number): PreparedStatement | undefined {
    if (this.#known.size + this.#changes.length < mostNames) return undefined
    // What the group changes is few; what is known may be thousands, and is not copied.
    const changed = new Map<string, PreparedStatement | undefined>()
    for (const { statement, isClose } of this.#changes) if (statement !== undefined) changed.set(statement.name, isClose ? undefined : statement)
    let count = 0
    let oldest: PreparedStatement | undefined
    const see = (statement: PreparedStatement): void => {
      count++
      if (oldest === undefined || statement.used < oldest.used) oldest = statement
    }
    for (const statement of this.#known.values()) if (!changed.has(statement.name)) see(statement)
    for (const statement of changed.values()) if (statement !== undefined) see(statement)
    return count < mostNames ? undefined : oldest
  }

  /** Records a Parse. */
  parse (name: string): PreparedStatement {
    const statement = { name, isDoubtful: false, isDescribed: false, readRow: undefined, used: 0 }
    this.#changes.push({ statement, isClose: false })
    return statement
  }

  /** Records the Parse of an unnamed statement. */
  parseUnnamed (): void { this.#changes.push(unnamed) }

  /** Records a Close. */
  close (statement: PreparedStatement): void { this.#changes.push({ statement, isClose: true }) }

  #confirm (): void {
    const change = this.#isAwaited ? this.#changes[this.#confirmed++] : undefined
    if (change?.statement === undefined) return
    const { statement, isClose } = change
    if (isClose) this.#known.delete(statement.name)
    else this.#known.set(statement.name, statement)
  }

  /**
   * Whether a failure is about the prepared statement, not about the work that it does; then the statement is marked as doubtful.
   *
   * The user's own SQL, for example a trigger, may raise the same SQLSTATEs, but only after BindComplete. A function may raise
   * "not supported" while a plan is made; its `routine` then differs from the check of a cached plan.
   * `index` is that of the statement in the group.
   */
  isRefused (statement: PreparedStatement, { code, routine }: Refusal, index: number): boolean {
    if (this.#bound > index) return false
    if (code === sqlStates.invalidSqlStatementName) {
      // DISCARD ALL, or a pooler that switched the server, has probably dropped all of them.
      for (const known of this.#known.values()) known.isDoubtful = true
      return true
    }
    // A pooler that keeps names may use an old plan for a Parse of the same group.
    const isParsedHere = this.#changes.some((change) => change.statement === statement)
    const isPlanCheck = routine === planCheck || (routine === undefined && !isParsedHere)
    const isStale = code === sqlStates.duplicatePreparedStatement || (code === sqlStates.featureNotSupported && isPlanCheck)
    if (isStale) {
      statement.isDoubtful = true
      this.#known.set(statement.name, statement)
    }
    return isStale
  }

  /** Forgets all statements, after DISCARD ALL. */
  clear (): void { this.#known.clear() }
}

/** The function in PostgreSQL's source that detects changed columns of a cached plan. */
const planCheck = 'RevalidateCachedQuery'
