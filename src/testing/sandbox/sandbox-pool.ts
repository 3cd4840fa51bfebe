/**
 * The pool of a sandbox: one connection, inside one transaction, lent to one after the other.
 */
import { Connection } from '../../connection/connection.js'
import { ConnectionError, TransactionBrokenError, TransactionScopeError } from '../../errors/errors.js'
import { ignore, within } from '../../runtime/promises.js'
import { silentLogger } from '../../runtime/logger.js'
import { ConnectionPool } from '../../pool/connection-pool.js'
import { endings } from '../../session/transaction-control.js'
import { SandboxConnection } from './sandbox-connection.js'
import type { AcquireRequest } from '../../pool/acquire-queue.js'
import type { Caller } from '../../statement/caller.js'
import type { Cancel, ConnectionSource, LentConnection } from '../../pool/connection-source.js'
import type { SessionContext } from '../../session/session-context.js'
import type { Statement } from '../../statement/statement.js'

/** By which the transaction of a sandbox, of whichever process, is known from one that was left open. */
export const applicationName = 'fastify-data-access sandbox'

/** A test may stand still in a debugger: the sandbox waits. */
const settings: Statement = {
  kind: 'write',
  text: `select set_config('application_name', '${applicationName}', true), set_config(name, '0', true)
    from pg_settings where name in ('idle_in_transaction_session_timeout', 'transaction_timeout')`,
  values: [],
  context: { operation: 'sandbox' }
}

/** A sandbox holds its connection for long, and nobody has to be warned of that. */
const caller: Caller = { label: 'sandbox', logger: silentLogger }

const taken = 'There is a sandbox on this database already: roll that back first, or give tests that run at the same time a server, or a database, each'
const ended = 'A statement has ended the transaction of the sandbox, and what it committed stays: test code that has a COMMIT or ROLLBACK in its SQL without a sandbox'

export class SandboxPool implements ConnectionSource {
  readonly #host: SessionContext
  readonly #pool: ConnectionPool
  readonly #connection: Connection
  readonly #timeoutMillis: number
  readonly #waiting = new Set<AcquireRequest<LentConnection>>()
  /** Who has the connection. */
  #holder: Caller | undefined
  #timer: NodeJS.Timeout | undefined
  #wake = ignore
  #rollingBack: Promise<void> | undefined

  private constructor (host: SessionContext, pool: ConnectionPool, { connection, timeoutMillis }: { connection: Connection, timeoutMillis: number }) {
    this.#host = host
    this.#pool = pool
    this.#connection = connection
    this.#timeoutMillis = timeoutMillis
  }

  /** Begins the outer transaction, and takes the place of the pool. @throws Error when another one has it already */
  static async open (host: SessionContext, timeoutMillis: number): Promise<SandboxPool> {
    const { pool } = host
    if (!(pool instanceof ConnectionPool)) throw new Error(taken)
    const connection = await pool.connect(caller)
    const { error } = await connection.run(settings, ['begin'])
    const sandbox = new SandboxPool(host, pool, { connection, timeoutMillis })
    if (error === undefined && host.pool === pool) {
      host.pool = sandbox
      return sandbox
    }
    connection.destroy()
    throw error ?? new Error(taken)
  }

  get readCommitted (): boolean { return this.#connection.readCommitted }

  /** Whether its connection has not gone back, nor been lost. */
  get holdsConnection (): boolean { return !this.#connection.isReleased }

  /** Whose transaction is under way. */
  get holder (): string | undefined { return this.#holder?.label }

  get hasRoom (): boolean { return this.#holder === undefined }

  acquire (request: AcquireRequest<LentConnection>): Cancel {
    this.#waiting.add(request)
    if (this.#holder === undefined) this.#lendNext()
    else this.#timer ??= this.#limit()
    return (error) => { if (this.#waiting.delete(request)) request.refuse(error) }
  }

  connect (caller: Caller): Promise<LentConnection> {
    return new Promise((resolve, reject) => { this.acquire({ caller, lend: resolve, refuse: reject }) })
  }

  arrived (): Promise<void> { return this.#pool.arrived() }

  /** Rolls back when the database is closed. */
  leave (): Promise<void> {
    return this.rollback().catch(ignore)
  }

  /** Undoes everything when nobody has the connection any more, and gives the pool its place again. */
  rollback (): Promise<void> {
    this.#rollingBack ??= this.#rollBack()
    return this.#rollingBack
  }

  async #rollBack (): Promise<void> {
    if (this.#holder !== undefined) await within(this.#timeoutMillis, new Promise<void>((resolve) => { this.#wake = resolve }))
    const { holder } = this
    this.#host.pool = this.#pool
    this.#refuseAll(new ConnectionError('The sandbox was rolled back'))
    const connection = this.#connection
    if (holder !== undefined) {
      connection.destroy()
      throw new Error(`The sandbox was rolled back while a transaction of ${holder} was open: await everything, and settle each session, before you roll it back`)
    }
    const obstacle = this.#obstacle
    if (obstacle === undefined) {
      connection.leaveTransaction()
      await connection.run(endings.rollback)
    }
    connection.release()
    if (obstacle instanceof TransactionBrokenError) throw obstacle
  }

  #lendNext (): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#holder = undefined
    const obstacle = this.#obstacle
    if (obstacle !== undefined) this.#refuseAll(obstacle)
    const [next] = this.#waiting
    if (next === undefined) return this.#wake()

    this.#waiting.delete(next)
    this.#holder = next.caller
    if (this.#waiting.size > 0) this.#timer = this.#limit()
    next.lend(new SandboxConnection(this.#share(next.caller), { timeoutMillis: this.#timeoutMillis, returned: () => this.#lendNext() }))
  }

  /** The connection in the name of another one, whose log is told of statements. */
  #share (caller: Caller): Connection {
    const { pooled } = this.#connection
    const connection = new Connection(pooled, caller, {
      prepares: this.#pool.prepares,
      observe: (...told) => this.#pool.observe(...told),
      takeBack: () => this.#connection.destroy()
    })
    // A COMMIT in the user's own SQL is noticed from now on.
    connection.enterTransaction()
    return connection
  }

  /** Why nothing can happen here any more. */
  get #obstacle (): Error | undefined {
    const { refusal, status } = this.#connection
    if (refusal !== undefined) return new ConnectionError('The sandbox has lost its connection, and everything in it', { cause: refusal })
    return status === 'I' ? new TransactionBrokenError(ended) : undefined
  }

  #refuseAll (error: Error): void {
    clearTimeout(this.#timer)
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const { refuse } of waiting) refuse(error)
  }

  #limit (): NodeJS.Timeout {
    return setTimeout(() => {
      this.#timer = undefined
      this.#refuseAll(new TransactionScopeError(
        `In a sandbox one transaction runs at a time, and that of ${this.holder} has not ended: settle it before another begins, or test this without a sandbox`
      ))
    }, this.#timeoutMillis)
  }
}
