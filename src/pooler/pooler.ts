/**
 * What a pool has found out about a pooler between it and PostgreSQL, and what follows from it.
 *
 * A pooler in transaction mode is recognized by its refusal of a startup parameter, or by a process id that is not the backend's.
 * From then on, for the whole pool, the limits travel with each transaction and each statement, because a pooler ignores startup
 * parameters or refuses them. Names are used where the pooler keeps them.
 */
import { sqlStates } from '../errors/sqlstate-codes.js'
import { limitNames, limitsThatTravel } from '../settings/begin-limits.js'
import { noLead, preparedLeading } from '../statement/leading-statement.js'
import { mayFollow } from '../statement/may-follow.js'
import { keepsNames } from './keeps-names.js'
import { refusesParameter } from './pooler-refusal.js'
import type { ClientBase, Pool } from 'pg'
import type { LeadingStatement } from '../statement/leading-statement.js'
import type { Settings } from '../settings/settings.js'
import type { Statement } from '../statement/statement.js'

const found = 'a pooler in transaction mode is between this process and PostgreSQL: the time limits travel with each transaction and each statement'
const lost = 'the pooler does not keep the names of prepared statements: from now on they are not used'

/** SQLSTATEs of a name that met another client's statement, or another server. */
const mixedUp: ReadonlySet<unknown> = new Set([sqlStates.duplicatePreparedStatement, sqlStates.invalidSqlStatementName])

export class Pooler {
  readonly #settings: Settings
  readonly #begun: readonly LeadingStatement[]
  readonly #alone: readonly LeadingStatement[]
  #isThere: boolean
  #prepares: boolean
  #asked: Promise<void> | undefined
  #isRefused = false
  /** How many connections that asked with startup parameters are still to be refused. */
  #retries = 0
  /** The names that are not used any more, because the pooler has an outdated plan for them. */
  unnamed: Set<string> | undefined

  constructor (settings: Settings) {
    const { pooler, preparedStatements } = settings
    this.#settings = settings
    const { begun, alone } = limitsThatTravel(settings)
    this.#begun = begun.map((text) => preparedLeading('set', text))
    this.#alone = alone.map((text) => preparedLeading('set', text))
    this.#isThere = pooler === 'transaction'
    this.#prepares = preparedStatements ?? !this.#isThere
  }

  /** Whether statements have names. */
  get prepares (): boolean { return this.#prepares }

  /** How many names a connection keeps. */
  get mostNames (): number { return this.#settings.maxPreparedStatements }

  /** Whether a pooler in transaction mode is there. */
  get isThere (): boolean { return this.#isThere }

  /** The statements that follow BEGIN. */
  get limits (): readonly LeadingStatement[] { return this.#isThere ? this.#begun : noLead }

  /** The statements in front of one that commits by itself. */
  leading (statement: Statement): readonly LeadingStatement[] {
    return this.#isThere && mayFollow(statement) ? this.#alone : noLead
  }

  /** A new connection reports a process id that is not the backend's. Resolves when it is known whether names are kept. */
  found (client: ClientBase): Promise<void> | undefined {
    if (this.#settings.pooler !== 'auto') return undefined
    this.#asked ??= this.#ask(client)
    return this.#asked
  }

  async #ask (client: ClientBase): Promise<void> {
    const { preparedStatements, logger } = this.#settings
    this.#isThere = true
    this.#prepares = preparedStatements ?? false
    try {
      this.#prepares = preparedStatements ?? await keepsNames(client)
    } catch (error) {
      this.#asked = undefined
      throw error
    }
    const startupParameters = this.#isRefused ? 'refused' : 'not trusted'
    logger.info({ pooler: 'transaction', preparedStatements: this.#prepares, startupParameters }, found)
  }

  /**
   * Whether a connection that could not be opened is to be opened again, because it asked with startup parameters that the pooler
   * refuses. `coming` is how many connections are on their way.
   */
  drops (error: unknown, pool: Pool, coming: number): boolean {
    const { pooler, pg } = this.#settings
    if (pooler !== 'auto' || pg !== undefined || !refusesParameter(error, limitNames)) return false
    if (!this.#isRefused) {
      this.#retries = coming
      // pg-pool reads its own copy of the options for each connection.
      for (const name of limitNames) pool.options[name] = undefined
    }
    this.#isRefused = true
    return this.#retries-- > 0
  }

  /** PostgreSQL refused a name. Behind a pooler that happens again, so names are given up: one, or all of them. */
  nameRefused (name: string | undefined, error: unknown): void {
    const { preparedStatements, logger } = this.#settings
    if (!this.#isThere || name === undefined) return
    if (!mixedUp.has(Object(error).code)) {
      this.unnamed ??= new Set()
      this.unnamed.add(name)
    } else if (this.#prepares && preparedStatements === undefined) {
      this.#prepares = false
      logger.warn({ sqlState: Object(error).code }, lost)
    }
  }
}
