import { setTimeout as wait } from 'node:timers/promises'
import type { Connection } from './connection.js'

/** How long a cancel may take to show, in milliseconds; then another one is sent. */
const patienceMillis = 100

/**
 * Has PostgreSQL give up what runs on a connection, and resolves when nothing does any more and a cancel that comes late can
 * hit nothing else. One that overtakes its statement on the way hits nothing, so it is repeated. A connection that does not
 * answer in time is destroyed. Never rejects.
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
