import { UsageError } from '../errors/errors.js'
import { anything, findComplaint, flag, isOptions, oneOf, wholeNumber } from '../runtime/option-checks.js'
import { longestMillis } from '../runtime/timers.js'
import { resolveContext } from './transaction-context.js'
import type { OptionCheck, OptionChecks } from '../runtime/option-checks.js'
import type { ContextSource, TransactionContext } from './transaction-context.js'

/** PostgreSQL's isolation levels, by their own names. */
export type IsolationLevel = 'read uncommitted' | 'read committed' | 'repeatable read' | 'serializable'

/** Whether a transaction may write. */
export type AccessMode = 'read write' | 'read only'

/** When the transaction of a request begins: with its first write, its first query, or before everything else. */
export type BeginPoint = 'firstWrite' | 'firstQuery' | 'onRequest'

/** Which server answers the reads of a session. */
export type ReadTarget = 'primary' | 'replica'

/** How one transaction begins, and how long it may take. */
export interface TransactionOptions {
  /**
   * When BEGIN is sent. With `firstWrite` it is sent with the first statement that is not a plain repository read. Earlier
   * reads run on the pool, each with its own snapshot, as under READ COMMITTED inside a transaction. If the effective level
   * is another one, or any of the options below is given, `firstWrite` acts as `firstQuery`.
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
   * How often the whole work is repeated after a serialization failure (40001) or a deadlock (40P01): 0 to 100.
   * Effects of the function outside the database are repeated, too; callbacks of a failed attempt are dropped. A session
   * that the program commits or rolls back itself cannot be repeated.
   *
   * On a route, only the handler is repeated. If hooks have already done something in the transaction (a write, a lock, a
   * setting, a read that belongs to its snapshot), the route is not repeated and replies 409, as without retries. Plain reads
   * under READ COMMITTED do not count. Callbacks and `rollbackOnly()` of hooks hold for each attempt, so a hook should write in
   * `request.db.beforeCommit(() => request.repo(audit).create(…))`.
   * @defaultValue 0
   */
  readonly retries?: number | undefined
  /** The longest a transaction may last, in milliseconds, counted from its BEGIN. @defaultValue no limit */
  readonly timeoutMillis?: number | undefined
  /** The longest wait for the response to COMMIT or ROLLBACK, in milliseconds; {@link resolveCommits} may take as long again. @defaultValue 5000 */
  readonly settleTimeoutMillis?: number | undefined
  /**
   * If the response to COMMIT is lost, looks up its outcome over another connection, by `pg_xact_status`. The transaction's
   * id is read together with BEGIN, which costs no round trip. Only a primary of the same timeline or a later one is trusted.
   * The user needs the right to call `pg_control_system()`, which every user has unless it was revoked.
   * @defaultValue false
   */
  readonly resolveCommits?: boolean | undefined
  /**
   * Which server answers reads. `replica`: the plain repository reads before the first statement of another kind go to one replica,
   * from then on everything goes to the primary. With `accessMode: 'read only'` the whole transaction runs on the replica. Where no
   * replica can serve, the primary answers. Needs the option `replicas`.
   * @defaultValue `'primary'`
   */
  readonly reads?: ReadTarget | undefined
  /**
   * Asks behind COMMIT for a token of the commit, {@link Session.token}, which costs no round trip. The plugin's `readYourWrites`
   * turns it on.
   * @defaultValue `false`
   */
  readonly token?: boolean | undefined
  /**
   * The session has one write, which commits by itself: it is sent without BEGIN and COMMIT, in one round trip instead of two. Whatever
   * needs a transaction is refused by a `UsageError`, and nothing of it is sent: a second write, nested transactions (also those of
   * `createMany` and of hooks), upserts, row locks, settings, `beforeCommit()` and `rollbackOnly()`.
   *
   * Nothing undoes the write afterwards. If the handler fails after it, the write stays. It cannot be combined with `begin`,
   * `isolationLevel`, `accessMode`, `deferrable`, `retries`, `timeoutMillis` and `resolveCommits`, on a route also not with `commit` and
   * `commitOn`.
   * @defaultValue `false`
   * @example
   * ```ts
   * await database.session((session) => session.repo(users).create({ name: 'Ada' }), { single: true })
   * ```
   */
  readonly single?: boolean | undefined
  /** What the session's statements know of the user they are for: {@link TransactionContext}. @defaultValue none */
  readonly context?: TransactionContext | undefined
  /**
   * Refuses every statement that has no {@link TransactionContext}, before anything is sent. A database user who bypasses the policies of
   * a table is refused at the start, unless the context has a role.
   * @defaultValue `false`
   */
  readonly contextRequired?: boolean | undefined
}

/** {@link TransactionOptions}, checked and complete. */
export interface TransactionSettings {
  /** Whether plain reads may run on the pool until something else begins the transaction. */
  readonly readsOutside: boolean
  /** The BEGIN statement. */
  readonly begin: string
  readonly isolationLevel: IsolationLevel | undefined
  readonly readOnly: boolean
  readonly retries: number
  readonly timeoutMillis: number | undefined
  readonly settleTimeoutMillis: number
  readonly resolveCommits: boolean
  /** What runs on a replica: nothing, the plain reads before BEGIN, or the whole read-only transaction. */
  readonly onReplica: 'nothing' | 'reads' | 'transaction'
  /** Whether a commit gives a token. */
  readonly token: boolean
  /** Whether the session has one write, which commits by itself. */
  readonly single: boolean
  readonly context: ContextSource | undefined
  readonly contextRequired: boolean
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
  resolveCommits: flag,
  reads: oneOf('primary', 'replica'),
  token: flag,
  single: flag,
  // `resolveContext` checks it.
  context: anything,
  contextRequired: flag
}

/** @throws {UsageError} for something that is not an object of options. */
export function checkAreOptions (options: unknown): void {
  if (!isOptions(options)) throw new UsageError(`The options of a transaction must be an object of ${Object.keys(checks).join(', ')}`)
}

/**
 * Checks options and completes them with defaults.
 *
 * @throws {UsageError} for an unknown or invalid option, with its name
 */
export function resolveTransactionOptions (options: TransactionOptions): TransactionSettings {
  checkAreOptions(options)
  const complaint = findComplaint(options, checks)
  if (complaint !== undefined) throw new UsageError(`transaction.${complaint.option} ${complaint.reason}`)
  if (options.single === true) refuseBeside(options)
  const { begin = 'firstWrite', isolationLevel, accessMode, deferrable, retries = 0, timeoutMillis, settleTimeoutMillis = 5000, resolveCommits = false, token = false, context, contextRequired = false } = options
  const modes = [
    isolationLevel && `isolation level ${isolationLevel}`,
    accessMode,
    deferrable === undefined ? undefined : deferrable ? 'deferrable' : 'not deferrable'
  ].filter((mode) => mode !== undefined)
  const resolved = context === undefined ? undefined : resolveContext(context)
  const readOnly = accessMode === 'read only'
  const readsOutside = begin === 'firstWrite' && modes.length === 0
  return {
    readsOutside,
    begin: ['begin', modes.join(', ')].join(' ').trimEnd(),
    isolationLevel,
    readOnly,
    retries,
    timeoutMillis,
    settleTimeoutMillis,
    // A read-only transaction has nothing to lose, and would only use up a transaction id.
    resolveCommits: resolveCommits && !readOnly,
    onReplica: options.reads === 'replica' ? replicaShare({ readsOutside, readOnly, isolationLevel }) : 'nothing',
    token: token && !readOnly,
    single: options.single === true,
    context: resolved && (() => resolved),
    contextRequired
  }
}

/** Options that need a transaction, and their values that do not ask for anything. */
const ofTransactions: ReadonlyMap<keyof TransactionOptions, unknown> = new Map<keyof TransactionOptions, unknown>([
  ['begin', 'firstWrite'], ['isolationLevel', undefined], ['accessMode', undefined], ['deferrable', undefined], ['retries', 0], ['timeoutMillis', undefined], ['resolveCommits', false]
])

/** @throws {UsageError} for an option that has no meaning for a write that commits by itself */
function refuseBeside (options: TransactionOptions): void {
  for (const [name, nothing] of ofTransactions) {
    if (options[name] !== undefined && options[name] !== nothing) throw new UsageError(`transaction.single cannot be combined with ${name}: that is for a transaction, and a single write commits by itself`)
  }
}

function replicaShare ({ readsOutside, readOnly, isolationLevel }: Pick<TransactionSettings, 'readsOutside' | 'readOnly' | 'isolationLevel'>): TransactionSettings['onReplica'] {
  if (readsOutside) return 'reads'
  // A server in recovery does not begin a serializable transaction.
  return readOnly && isolationLevel !== 'serializable' ? 'transaction' : 'nothing'
}
