import type { Database, DatabaseInfo } from '../../src/index.js'

/** What `getInfo()` gives. Its limit of a second may be too short for a busy machine, so it is asked until it has answered. */
export async function infoOf (database: Database): Promise<DatabaseInfo> {
  for (;;) {
    const info = await database.getInfo().catch(() => undefined)
    if (info !== undefined) return info
  }
}

/** The limit of a health check on a busy machine, for tests of what it finds. */
export const patient = { timeoutMillis: 60_000 }
