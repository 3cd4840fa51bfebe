import { Database } from '../../database/database.js'
import { UsageError } from '../../errors/errors.js'
import { millis } from '../../runtime/option-checks.js'
import { checkCall } from '../../errors/check-call.js'
import { SandboxPool } from './sandbox-pool.js'

/** A Fastify server with the plugin on it, as far as a sandbox needs to know it. */
export interface ServerWithDatabase {
  /** Not there before the plugins are loaded. */
  readonly db?: Database
  ready (): PromiseLike<unknown>
}

/** How a sandbox behaves. */
export interface SandboxOptions {
  /**
   * How long those who wait for their turn wait for the transaction before them to end, in milliseconds; and how long
   * {@link Sandbox.rollback} waits for the last one.
   * @defaultValue `2000`
   */
  readonly timeoutMillis?: number | undefined
}

/** Everything that happens on a database until it is rolled back. */
export interface Sandbox {
  /**
   * Undoes everything, when the transactions that are under way have ended. A second call gets the same answer.
   *
   * @throws Error when one does not end in time, or when a statement has ended the sandbox's own transaction
   */
  rollback (): Promise<void>
  /** The same, for `await using`. */
  [Symbol.asyncDispose] (): Promise<void>
}

/**
 * Lets everything that happens on a database, requests through `inject` included, happen inside one outer transaction, which
 * {@link Sandbox.rollback} undoes.
 *
 * What a test sees is the same as without it: a commit checks deferred constraints and calls `afterCommit`, a rollback undoes
 * one transaction, and a statement that fails outside of a transaction undoes nothing but itself. Transactions run one after
 * the other, so each isolation level holds by itself: `isolationLevel` and `deferrable` are not sent.
 *
 * `repo.stream()` reads in a transaction, so it waits for its turn, and others wait until it was read or left. A session that
 * holds its transaction cannot wait for that: its stream is refused with `PoolTimeoutError`, as where a pool is exhausted.
 *
 * Some things differ, since to PostgreSQL it is one transaction: `now()` stands still, NOTIFY is never sent, `SET LOCAL` and
 * advisory locks of a transaction last to the end, and a COMMIT in SQL of your own really commits. What does not go through
 * the sessions (`fastify.pg`, `database.pool`, another process) is not in the sandbox and does not see what is.
 *
 * @throws UsageError for what is neither a server nor a database; Error when there is a sandbox on this database already: tests that run at the same time need a database, or a server, each
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
  if (!(given instanceof Database) && typeof (given as Partial<ServerWithDatabase> | null | undefined)?.ready !== 'function') throw new UsageError('sandbox() takes a Fastify server that has the plugin, or a database of openDatabase()')
  checkCall('sandbox()', options, { timeoutMillis: millis })
  const { timeoutMillis = 2000 } = options
  const { host } = 'ready' in serverOrDatabase ? await databaseOf(serverOrDatabase) : serverOrDatabase
  const pool = await SandboxPool.open(host, timeoutMillis)
  const rollback = (): Promise<void> => pool.rollback()
  return { rollback, [Symbol.asyncDispose]: rollback }
}

async function databaseOf (server: ServerWithDatabase): Promise<Database> {
  // Routes may still be added to a server whose plugins are there.
  if (server.db === undefined) await server.ready()
  if (server.db === undefined) throw new Error('There is no database on this server: register fastify-data-access at its root')
  return server.db
}
