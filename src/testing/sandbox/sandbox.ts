import { Database } from '../../database/database.js'
import { UsageError } from '../../errors/errors.js'
import { millis } from '../../runtime/option-checks.js'
import { checkCall } from '../../errors/check-call.js'
import { SandboxPool } from './sandbox-pool.js'

/** The parts of a Fastify server that a sandbox uses. */
export interface ServerWithDatabase {
  /** Missing until the plugins are loaded. */
  readonly db?: Database
  ready (): PromiseLike<unknown>
}

/** How a sandbox behaves. */
export interface SandboxOptions {
  /**
   * How long a transaction waits for the one before it to end, in milliseconds. {@link Sandbox.rollback} waits as long for
   * the last one.
   * @defaultValue `2000`
   */
  readonly timeoutMillis?: number | undefined
}

/** An open sandbox, until it is rolled back. */
export interface Sandbox {
  /**
   * Waits for the open transaction to end, then undoes everything. A second call returns the same promise.
   *
   * @throws Error when the transaction does not end in time, or when a statement has ended the sandbox's own transaction
   */
  rollback (): Promise<void>
  /** The same, for `await using`. */
  [Symbol.asyncDispose] (): Promise<void>
}

/**
 * Runs all statements on a database, including those of requests through `inject`, inside one outer transaction.
 * {@link Sandbox.rollback} undoes it.
 *
 * A test sees the same behaviour as without a sandbox. A commit checks deferred constraints and calls `afterCommit`. A rollback
 * undoes one transaction. A statement that fails outside a transaction undoes only itself. Transactions run one after
 * the other, so every isolation level holds: `isolationLevel` and `deferrable` are not sent.
 *
 * `repo.stream()` reads in a transaction. It waits for its turn, and others wait until it ends. In a session that
 * holds its transaction, a stream would wait for itself: it is refused with `PoolTimeoutError`, as with an exhausted pool.
 *
 * Some things differ, because PostgreSQL sees one transaction. `now()` does not advance, NOTIFY is never sent, `SET LOCAL` and
 * advisory locks of a transaction last to the end, and a COMMIT in your own SQL really commits. Statements outside the
 * sessions (`fastify.pg`, `database.pool`, another process) are not in the sandbox, and do not see its rows.
 *
 * @throws UsageError when the argument is neither a server nor a database; Error when this database has a sandbox already:
 * each test that runs at the same time needs its own server or database
 * @example
 * ```ts
 * test('creates a user', async () => {
 *   await using _ = await sandbox(server)
 *   await server.inject({ method: 'POST', url: '/users', payload: { name: 'Ada' } })
 * })
 * ```
 */
export async function sandbox (serverOrDatabase: Database | ServerWithDatabase, options: SandboxOptions = {}): Promise<Sandbox> {
  const given: unknown = serverOrDatabase
  if (!(given instanceof Database) && typeof (given as Partial<ServerWithDatabase> | null | undefined)?.ready !== 'function') {
    throw new UsageError('sandbox() takes a Fastify server that has the plugin, or a database of openDatabase()')
  }
  checkCall('sandbox()', options, { timeoutMillis: millis })
  const { timeoutMillis = 2000 } = options
  const { host } = 'ready' in serverOrDatabase ? await databaseOf(serverOrDatabase) : serverOrDatabase
  const pool = await SandboxPool.open(host, timeoutMillis)
  const rollback = (): Promise<void> => pool.rollback()
  return { rollback, [Symbol.asyncDispose]: rollback }
}

async function databaseOf (server: ServerWithDatabase): Promise<Database> {
  // ready() is called only if needed, because a test may still add routes.
  if (server.db === undefined) await server.ready()
  if (server.db === undefined) throw new Error('There is no database on this server: register fastify-data-access at its root')
  return server.db
}
