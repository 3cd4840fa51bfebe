import type { Connection } from '../connection/connection.js'

/**
 * Has PostgreSQL give up what runs on a connection, and resolves when nothing does any more and a cancel that comes late can
 * hit nothing else. One that does not answer in time is destroyed. Never rejects.
 */
export async function interrupt (connection: Connection, timeoutMillis: number): Promise<void> {
  const timer = setTimeout(() => connection.destroy(), timeoutMillis)
  await connection.cancel(timeoutMillis)
  await connection.idle()
  clearTimeout(timer)
}
