import { usageOf, usageOfTaken } from './connection-usage.js'
import type { ConnectionUsage } from './connection-usage.js'
import type { Connection } from '../connection/connection.js'
import type { CheckedOut } from './checked-out.js'
import type { OpenClients } from './open-clients.js'
import type { TakenClient } from '../connection/client-state.js'
import type { Logger } from '../runtime/logger.js'
import type { Settings } from '../settings/settings.js'

/** How often leaks are looked for at most, in milliseconds. */
const shortestWatchMillis = 100

/**
 * Tells of each connection once that is in use for longer than `leakWarningSeconds`, with the stack of whoever asked for it.
 * The clients that somebody takes from pg's pool are looked at as well.
 */
export function warnOfLeaks (checkedOut: CheckedOut, clients: OpenClients, { leakWarningSeconds, logger }: Settings): void {
  if (leakWarningSeconds === 0) return
  const told = new WeakSet<Connection | TakenClient>()
  const warn = (lent: Connection | TakenClient, { logger, usage }: { logger: Logger, usage: () => ConnectionUsage }): void => {
    if (told.has(lent) || performance.now() - lent.since < leakWarningSeconds * 1000) return
    told.add(lent)
    logger.warn(usage(), 'a database connection is held for long: is a session never closed, or a client never released?')
  }
  checkedOut.watch(Math.max(leakWarningSeconds * 500, shortestWatchMillis), () => {
    for (const connection of checkedOut) warn(connection, { logger: connection.caller.logger, usage: () => usageOf(connection) })
    for (const taken of clients.taken) warn(taken, { logger, usage: () => usageOfTaken(taken) })
  })
}
