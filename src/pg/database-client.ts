import pg from 'pg'
import { DirectMessages } from './direct-messages.js'
import { DirectSocket } from './direct-socket.js'
import { HostsConnection } from './hosts-connection.js'
import type { EventEmitter } from 'node:events'
import type { ClientBase, ClientConfig } from 'pg'
import type { FollowingClient } from './hosts-connection.js'
import type { Hosts } from './hosts.js'

/** The options of pg's client, and its hosts if they are several or a certain session is wanted. */
export type DatabaseClientConfig = ClientConfig & { readonly hosts?: Hosts | undefined }

/** pg's client for everything that a URL may ask for. The pool, migrations and health checks open this one. */
export class DatabaseClient extends pg.Client {
  /** When it was made, directly before it connects, on the clock of `performance.now()`. */
  readonly made = performance.now()

  constructor (config: DatabaseClientConfig = {}) {
    const { hosts } = config
    const connection = hosts && new HostsConnection(config, hosts)
    super(connection === undefined ? withSocket(config) : withConnection(config, connection))
    connection?.serve(this as unknown as FollowingClient)
    DirectMessages.follow((this as unknown as { readonly connection: EventEmitter }).connection) // public in pg and missing from its declarations
  }
}

/**
 * The options with our socket, unless the program has given its own. Beside a URL pg takes only own enumerable options, `ssl` among them;
 * a plain copy would lose the hidden password.
 */
function withSocket (config: ClientConfig): ClientConfig {
  if (config.stream !== undefined) return config
  return Object.create(Object.getPrototypeOf(config), { ...Object.getOwnPropertyDescriptors(config), stream: { value: () => new DirectSocket() } }) as ClientConfig
}

/** How long ago a client was made, in milliseconds; undefined for one of a pool that the program made. */
export function openingMillis (client: ClientBase): number | undefined {
  return client instanceof DatabaseClient ? performance.now() - client.made : undefined
}

/** Inherits the options, because a copy would lose the password. Host and port are pg's defaults, for addresses without them. */
function withConnection (config: ClientConfig, connection: HostsConnection): ClientConfig {
  return Object.create(config, { connection: { value: connection }, host: { value: undefined }, port: { value: undefined } }) as ClientConfig
}

/** Whether the session of a client is still the one that its URL asks for. */
export function isStillFit (client: ClientBase): boolean {
  const { connection } = client as unknown as { readonly connection: unknown }
  return !(connection instanceof HostsConnection) || connection.isFit
}
