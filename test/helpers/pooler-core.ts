import { ServerNames } from './pooler-names.js'
import { openServer } from './pooler-server.js'
import type { PoolerServer } from './pooler-server.js'

/** How the pooler is set up. */
export interface TransactionPoolerOptions {
  /** Connections to PostgreSQL at most. @defaultValue `3` */
  readonly servers?: number
  /** What it does with a startup parameter that it does not know: PgBouncer refuses it, unless `ignore_startup_parameters` names it. */
  readonly startupParameters?: 'refused' | 'ignored'
  /** Whether it keeps the names of prepared statements, as PgBouncer from 1.21 on does with `max_prepared_statements`. */
  keepsNames?: boolean
  /** More clients are refused. */
  readonly maxClients?: number
  /** The password that it asks for. */
  readonly password?: string
}

/** A client, as far as the pooler's core knows it. */
export interface CoreClient {
  /** The process id and the key that the client was told. */
  readonly id: { readonly pid: number, readonly key: number }
  /** The server that it has. */
  readonly lent: Lent | undefined
  lend (lent: Lent): void
  received (message: Buffer): void
  lost (): void
  refuse (code: string, text: string): void
}

/** A server connection, and the names that it has. */
export interface Lent {
  readonly server: PoolerServer
  readonly names: ServerNames
  /** Cancel requests on their way: until they have arrived, nobody else gets the server. */
  readonly cancels: Set<Promise<void>>
  /** The client that has it. */
  client: CoreClient | undefined
}

/** What the clients of a pooler share. */
export class PoolerCore {
  readonly options: TransactionPoolerOptions & { keepsNames?: boolean }
  readonly url: string
  readonly clients = new Set<CoreClient>()
  readonly servers = new Set<Lent>()
  readonly waiting: CoreClient[] = []
  maxClients: number
  isPaused = false
  #opening = 0

  constructor (url: string, options: TransactionPoolerOptions) {
    this.url = url
    this.options = { ...options }
    this.maxClients = options.maxClients ?? Infinity
  }

  /** Lends servers to the clients that wait. The server that was used last comes first, as in PgBouncer. */
  proceed (): void {
    while (!this.isPaused && this.waiting.length > 0) {
      const free = [...this.servers].findLast(({ client, cancels }) => client === undefined && cancels.size === 0)
      if (free === undefined) break
      free.client = this.waiting.shift()
      free.client?.lend(free)
    }
    if (!this.isPaused && this.waiting.length > this.#opening && this.servers.size + this.#opening < (this.options.servers ?? 3)) this.#open()
  }

  /** Takes a server back. */
  takeBack (lent: Lent): void {
    lent.client = undefined
    this.servers.delete(lent)
    this.servers.add(lent)
    this.proceed()
  }

  #open (): void {
    this.#opening++
    openServer(this.url).then((server) => {
      const lent: Lent = { server, names: new ServerNames(), cancels: new Set(), client: undefined }
      server.received = (message) => {
        if (message !== undefined) return lent.client?.received(message)
        this.servers.delete(lent)
        lent.client?.lost()
        this.proceed()
      }
      this.servers.add(lent)
    }, () => { for (const client of this.waiting.splice(0)) client.refuse('08P01', 'server login has been failing, try again later') }).finally(() => {
      this.#opening--
      this.proceed()
    })
  }
}
