/**
 * A small pooler in transaction mode before a real PostgreSQL: a client has a server for the length of a transaction. It behaves
 * as PgBouncer does, and speaks in its words, for machines that have no PgBouncer.
 */
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { PoolerClient } from './pooler-client.js'
import { PoolerCore } from './pooler-core.js'
import type { AddressInfo, Socket } from 'node:net'
import type { TransactionPoolerOptions } from './pooler-core.js'
import type { Test } from './test.js'

/** A running pooler. */
export interface TransactionPooler {
  readonly port: number
  /** The given URL, through the pooler. */
  readonly connectionString: string
  /** How many clients are connected. */
  readonly clients: number
  /** The process ids of its connections to PostgreSQL. */
  readonly servers: readonly number[]
  /** More clients than this are refused. */
  maxClients: number
  /** How it is set up; a change counts for what comes. */
  readonly setUp: { keepsNames?: boolean }
  /** Lends no server any more, as PAUSE does, until `resume()`. */
  pause (): void
  resume (): void
  /** Ends every client and server, as a restart does; new clients are served. */
  restart (): void
}

/** Starts a pooler before a server; it ends with the test. */
export async function startTransactionPooler (t: Test, target: string, options: TransactionPoolerOptions = {}): Promise<TransactionPooler> {
  const core = new PoolerCore(target, options)
  const sockets = new Set<Socket>()
  const listener = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    const client = new PoolerClient(socket, core, { pid: randomInt(2 ** 30, 2 ** 31 - 1), key: randomInt(2 ** 31 - 1) })
    core.clients.add(client)
  })
  const endAll = (): void => {
    for (const { server } of core.servers) server.destroy()
    for (const socket of sockets) socket.destroy()
  }
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  t.teardown(async () => {
    core.isPaused = true
    endAll()
    listener.close()
  })
  const { port } = listener.address() as AddressInfo
  const url = new URL(target)
  url.host = `127.0.0.1:${port}`
  if (options.password !== undefined) url.password = options.password
  return {
    port,
    connectionString: url.href,
    setUp: core.options,
    get clients () { return core.clients.size },
    get servers () { return Array.from(core.servers, ({ server: { pid } }) => pid) },
    get maxClients () { return core.maxClients },
    set maxClients (most) { core.maxClients = most },
    pause () { core.isPaused = true },
    resume () {
      core.isPaused = false
      core.proceed()
    },
    restart: endAll
  }
}
