import type { ClientBase } from 'pg'
import { addressOf } from '../pg/client.js'
import type { DatabasePlace } from './messages.js'

/** The part of a client's configuration that says where its database is. */
interface AddressedConfig {
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly database?: string | undefined
  readonly hosts?: unknown
}

/** Where a database is, as far as that is known before a connection is open. */
export function placeOf (database: string, { host, port, database: namespace, hosts }: AddressedConfig): DatabasePlace {
  const isOne = hosts === undefined
  return { database, namespace, serverAddress: isOne ? host : undefined, serverPort: isOne ? port : undefined }
}

/** The server that a client is connected to, and its process there. */
export interface ServerProcess {
  readonly namespace: string | undefined
  readonly serverAddress: string | undefined
  readonly serverPort: number | undefined
  readonly processId: number | undefined
}

/** Notes in a message which server its connection leads to, and the process there. */
export function setServer (message: { -readonly [Property in keyof ServerProcess]?: ServerProcess[Property] }, server: ServerProcess): void {
  message.namespace = server.namespace
  message.serverAddress = server.serverAddress
  message.serverPort = server.serverPort
  message.processId = server.processId
}

/** Where an open client is connected to. */
export function serverOf (client: ClientBase): ServerProcess {
  const { database, host, port, processID } = addressOf(client)
  return { namespace: database, serverAddress: host, serverPort: port, processId: processID }
}
