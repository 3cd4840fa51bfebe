/**
 * The pool of a sandbox: one connection with one open transaction, lent to one caller at a time.
 */
import { Connection } from '../../connection/connection.js'
import { ConnectionError, TransactionBrokenError, TransactionScopeError } from '../../errors/errors.js'
import { ignore, within } from '../../runtime/promises.js'
import { silentLogger } from '../../runtime/logger.js'
import { ConnectionPool } from '../../pool/connection-pool.js'
import { endings } from '../../session/transaction/transaction-control.js'
import { SandboxConnection } from './sandbox-connection.js'
import { preparedLeading } from '../../statement/leading-statement.js'
import type { AcquireRequest } from '../../pool/acquire-queue.js'
import type { Caller } from '../../statement/caller.js'
import type { Replicas } from '../../replicas/replicas.js'
import type { Cancel, ConnectionSource, LentConnection } from '../../pool/connection-source.js'
import type { SessionContext } from '../../session/transaction/session-context.js'
import type { Statement } from '../../statement/statement.js'

/** Tells the open transaction of a sandbox, in any process, from a leaked one. */
export const applicationName = 'fastify-data-access sandbox'

/** Without timeouts of PostgreSQL, because a test may pause in a debugger. */
const settings: Statement = {
  kind: 'write',
  text: `select set_config('application_name', '${applicationName}', true), set_config(name, '0', true)
    from pg_settings where name in ('idle_in_transaction_session_timeout', 'transaction_timeout')`,
  values: [],
  context: { operation: 'sandbox' }
}

/** The logger is silent: a sandbox holds its connection for long, which needs no warning. */
const caller: Caller = { label: 'sandbox', logger: silentLogger }

const taken = 'There is a sandbox on this database already: roll it back first, or give each test that runs at the same time its own server or database'
const ended =
  'A statement has ended the transaction of the sandbox, and its committed rows stay: test code with a COMMIT or ROLLBACK in its SQL without a sandbox'

export class SandboxPool implements ConnectionSource {
  readonly #host: SessionContext
  readonly #pool: ConnectionPool
  readonly #replicas: Replicas | undefined
  readonly #connection: Connection
  readonly #timeoutMillis: number
  readonly #waiting = new Set<AcquireRequest<LentConnection>>()
  /** The caller that has the connection. */
  #holder: Caller | undefined
  #timer: NodeJS.Timeout | undefined
  #wake = ignore
  #rollingBack: Promise<void> | undefined

  private constructor (host: SessionContext, pool: ConnectionPool, { connection, timeoutMillis }: { connection: Connection, timeoutMillis: number }) {
    this.#host = host
    this.#pool = pool
    this.#replicas = host.replicas
    this.#connection = connection
    this.#timeoutMillis = timeoutMillis
  }

  /** Begins the outer transaction, and replaces the pool. @throws Error when another sandbox has replaced it already */
  static async open (host: SessionContext, timeoutMillis: number): Promise<SandboxPool> {
    const { pool } = host
    if (!(pool instanceof ConnectionPool)) throw new Error(taken)
    const connection = await pool.connect(caller)
    const { error } = await connection.run(settings, [preparedLeading('begin', 'begin')])
    const sandbox = new SandboxPool(host, pool, { connection, timeoutMillis })
    if (error === undefined && host.pool === pool) {
      host.pool = sandbox
      // Replicas do not see the rows of the sandbox.
      host.replicas = undefined
      return sandbox
    }
    connection.destroy()
    throw error ?? new Error(taken)
  }

  get readCommitted (): boolean { return this.#connection.readCommitted }

  /** Whether its connection is neither released nor lost. */
  get holdsConnection (): boolean { return !this.#connection.isReleased }

  /** The label of the caller whose transaction is under way. */
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

  /** Called when the database closes. */
  leave (): Promise<void> {
    return this.rollback().catch(ignore)
  }

  /** Waits until the connection is free, rolls back everything, and restores the pool. */
  rollback (): Promise<void> {
    this.#rollingBack ??= this.#rollBack()
    return this.#rollingBack
  }

  async #rollBack (): Promise<void> {
    if (this.#holder !== undefined) await within(this.#timeoutMillis, new Promise<void>((resolve) => { this.#wake = resolve }))
    const { holder } = this
    this.#host.pool = this.#pool
    this.#host.replicas = this.#replicas
    this.#refuseAll(new ConnectionError('The sandbox was rolled back'))
    const connection = this.#connection
    if (holder !== undefined) {
      connection.destroy()
      throw new Error(`The sandbox was rolled back while a transaction of ${holder} was open: await every call, and end each session, before you roll it back`)
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

  /** The same connection for another caller, whose logger reports its statements. */
  #share (caller: Caller): Connection {
    const { pooled } = this.#connection
    const connection = new Connection(pooled, caller, {
      pooler: this.#pool.pooler,
      observe: (...args) => this.#pool.observe(...args),
      prove: this.#pool.prove,
      takeBack: () => this.#connection.destroy()
    })
    // From now on the connection notices a COMMIT in the user's SQL.
    connection.enterTransaction()
    return connection
  }

  /** The reason why the sandbox can run no more statements. */
  get #obstacle (): Error | undefined {
    const { refusal, status } = this.#connection
    if (refusal !== undefined) return new ConnectionError('The sandbox has lost its connection, and everything in it', { cause: refusal })
    return status === 'I' ? new TransactionBrokenError(ended) : undefined
  }

  #refuseAll (error: Error): void {
    clearTimeout(this.#timer)
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const request of waiting) request.refuse(error)
  }

  #limit (): NodeJS.Timeout {
    return setTimeout(() => {
      this.#timer = undefined
      this.#refuseAll(new TransactionScopeError(
        `In a sandbox one transaction runs at a time, and that of ${this.holder} has not ended: end it before another begins, or test this without a sandbox`
      ))
    }, this.#timeoutMillis)
  }
}
