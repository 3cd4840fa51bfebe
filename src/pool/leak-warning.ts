import { usageOf, usageOfTaken } from './connection-usage.js'
import type { ConnectionUsage } from './connection-usage.js'
import { Connection } from '../connection/connection.js'
import type { CheckedOut } from './checked-out.js'
import type { OpenClients } from './clients/open-clients.js'
import type { TakenClient } from '../connection/client-state.js'
import type { Logger } from '../runtime/logger.js'
import type { Settings } from '../settings/settings.js'

/** The shortest interval between two checks, in milliseconds. */
const shortestWatchMillis = 100

/** Whom a leak is told. */
export interface LeakWarning {
  readonly settings: Settings
  readonly leaked: (connection: Connection) => void
}

/**
 * Warns once about each connection that is in use for longer than `leakWarningSeconds`, with the stack of its request.
 * Clients that a program takes from pg's pool are checked as well.
 */
export function warnOfLeaks (checkedOut: CheckedOut, clients: OpenClients, { settings: { leakWarningSeconds, logger }, leaked }: LeakWarning): void {
  if (leakWarningSeconds === 0) return
  const warned = new WeakSet<Connection | TakenClient>()
  const warn = (lent: Connection | TakenClient, { logger, usage }: { logger: Logger, usage: () => ConnectionUsage }): void => {
    if (warned.has(lent) || performance.now() - lent.since < leakWarningSeconds * 1000) return
    warned.add(lent)
    if (lent instanceof Connection) leaked(lent)
    logger.warn(usage(), 'a database connection is held for long: is a session never closed, or a client never released?')
  }
  checkedOut.watch(Math.max(leakWarningSeconds * 500, shortestWatchMillis), () => {
    for (const connection of checkedOut) warn(connection, { logger: connection.caller.logger, usage: () => usageOf(connection) })
    for (const taken of clients.taken) warn(taken, { logger, usage: () => usageOfTaken(taken) })
  })
}
