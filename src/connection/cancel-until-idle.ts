import { setTimeout as wait } from 'node:timers/promises'
import type { Connection } from './connection.js'

/** How long a cancel request may take to have an effect, in milliseconds; then another one is sent. */
const patienceMillis = 100

/**
 * Cancels the running statement. Resolves when the connection is idle and no late cancel request can hit another statement.
 * A request that arrives before its statement has no effect, so requests are repeated. Never rejects: a connection that does
 * not answer in time is destroyed.
 */
export async function cancelUntilIdle (connection: Pick<Connection, 'idle' | 'isIdle' | 'cancel' | 'destroy'>, timeoutMillis: number): Promise<void> {
  const timer = setTimeout(() => connection.destroy(), timeoutMillis)
  const idle = connection.idle()
  while (!connection.isIdle) {
    await connection.cancel(timeoutMillis)
    await Promise.race([idle, wait(patienceMillis, undefined, { ref: false })])
  }
  clearTimeout(timer)
}
