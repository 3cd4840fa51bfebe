import { UsageError } from '../errors/errors.js'
import { findComplaint, flag, isOptions, oneOf, wholeNumber } from '../runtime/option-checks.js'
import { longestMillis } from '../runtime/timers.js'
import type { OptionCheck, OptionChecks } from '../runtime/option-checks.js'

/** PostgreSQL's isolation levels, in its own words. */
export type IsolationLevel = 'read uncommitted' | 'read committed' | 'repeatable read' | 'serializable'

/** Whether a transaction may write. */
export type AccessMode = 'read write' | 'read only'

/** When the transaction of a request begins: with its first write, its first query, or before everything else. */
export type BeginPoint = 'firstWrite' | 'firstQuery' | 'onRequest'

/** How one transaction begins, and how long it may take. */
export interface TransactionOptions {
  /**
   * When BEGIN is sent. With `firstWrite` it travels with the first statement that is not a plain repository read; reads
   * before it run on the pool, each with a snapshot of its own, as READ COMMITTED gives it inside a transaction too. Where
   * the effective level is another one, or any of the options below is given, `firstWrite` acts as `firstQuery`.
   * @defaultValue `'firstWrite'`
   */
  readonly begin?: 'firstWrite' | 'firstQuery' | undefined
  /** @defaultValue the server's, `default_transaction_isolation` */
  readonly isolationLevel?: IsolationLevel | undefined
  /** @defaultValue the server's, `default_transaction_read_only` */
  readonly accessMode?: AccessMode | undefined
  /** Lets a serializable, read-only transaction wait for a snapshot that cannot fail. */
  readonly deferrable?: boolean | undefined
  /**
   * How often the whole work is done again after a serialization failure (40001) or a deadlock (40P01): 0 to 100.
   * What the function did outside the database is done again, too; callbacks of a failed attempt are dropped. A session that
   * is settled by hand cannot be repeated.
   *
   * On a route the handler alone is run again. A route whose hooks have done something in the transaction before (a write, a
   * lock, a setting, a read that belongs to its snapshot) is not repeated and answers 409, as without retries. Plain reads under
   * READ COMMITTED are no obstacle. Callbacks and `rollbackOnly()` of hooks hold for each attempt: a hook that writes does so in
   * `request.db.beforeCommit(() => request.repo(audit).create(…))`.
   * @defaultValue 0
   */
  readonly retries?: number | undefined
  /** The longest a transaction may last, in milliseconds, counted from its BEGIN. @defaultValue no limit */
  readonly timeoutMillis?: number | undefined
  /** The longest wait for the answer to COMMIT or ROLLBACK, in milliseconds; and once more for {@link resolveCommits}. @defaultValue 5000 */
  readonly settleTimeoutMillis?: number | undefined
  /**
   * When the answer to COMMIT is lost, find out over another connection what became of it, by `pg_xact_status`. The
   * transaction's id is asked for together with BEGIN, which costs no round trip. Only a primary is believed, of the same
   * timeline or a later one. The user needs to be allowed `pg_control_system()`, as everybody is unless somebody has revoked it.
   * @defaultValue false
   */
  readonly resolveCommits?: boolean | undefined
}

/** {@link TransactionOptions}, checked and complete. */
export interface TransactionSettings {
  /** Whether plain reads may run on the pool until something else begins the transaction. */
  readonly readsOutside: boolean
  /** The statement that begins. */
  readonly begin: string
  readonly isolationLevel: IsolationLevel | undefined
  readonly readOnly: boolean
  readonly retries: number
  readonly timeoutMillis: number | undefined
  readonly settleTimeoutMillis: number
  readonly resolveCommits: boolean
}

const time: OptionCheck = [(value) => typeof value === 'number' && value > 0 && value <= longestMillis, `must be a number of milliseconds, above 0 and at most ${longestMillis}`]

const checks: OptionChecks<TransactionOptions> = {
  begin: oneOf('firstWrite', 'firstQuery'),
  isolationLevel: oneOf('read uncommitted', 'read committed', 'repeatable read', 'serializable'),
  accessMode: oneOf('read write', 'read only'),
  deferrable: flag,
  retries: wholeNumber(0, 100),
  timeoutMillis: time,
  settleTimeoutMillis: time,
  resolveCommits: flag
}

/** @throws {UsageError} for something that is not an object of options. */
export function checkAreOptions (options: unknown): void {
  if (!isOptions(options)) throw new UsageError(`The options of a transaction must be an object of ${Object.keys(checks).join(', ')}`)
}

/**
 * Checks options and completes them with defaults.
 *
 * @throws {UsageError} that names the option which is unknown or has a value it cannot have
 */
export function resolveTransactionOptions (options: TransactionOptions): TransactionSettings {
  checkAreOptions(options)
  const complaint = findComplaint(options, checks)
  if (complaint !== undefined) throw new UsageError(`transaction.${complaint.option} ${complaint.reason}`)
  const { begin = 'firstWrite', isolationLevel, accessMode, deferrable, retries = 0, timeoutMillis, settleTimeoutMillis = 5000, resolveCommits = false } = options
  const modes = [
    isolationLevel && `isolation level ${isolationLevel}`,
    accessMode,
    deferrable === undefined ? undefined : deferrable ? 'deferrable' : 'not deferrable'
  ].filter((mode) => mode !== undefined)
  return {
    readsOutside: begin === 'firstWrite' && modes.length === 0,
    begin: ['begin', modes.join(', ')].join(' ').trimEnd(),
    isolationLevel,
    readOnly: accessMode === 'read only',
    retries,
    timeoutMillis,
    settleTimeoutMillis,
    // Where nothing can be written there is nothing to lose, and an id would be one more to wrap around.
    resolveCommits: resolveCommits && accessMode !== 'read only'
  }
}
