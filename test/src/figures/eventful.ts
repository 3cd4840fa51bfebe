import { sql } from 'drizzle-orm'
import { leakChannel } from '../../../src/channels/channels.js'
import { subscribe } from '../../../src/channels/subscribe.js'
import { conflicts } from '../../helpers/conflicts.js'
import { openByProxy } from '../../helpers/database.js'
import { deferred } from '../../helpers/deferred.js'
import { users } from '../../helpers/schema.js'
import type { Database } from '../../../src/index.js'
import type t from 'tap'

/** A value that must not be seen outside. */
export const canary = 'canary@example.com'

/** The part of tap's `t` that is needed. */
type T = Pick<typeof t, 'rejects' | 'teardown'>

/**
 * Opens a database with one connection, lets `watch` begin, and makes everything happen that changes a figure: three reads that return
 * 0, 1 and 2 rows, writes that succeed and fail, SQL that PostgreSQL does not know, a retry, a wait that is refused, a leak, and a COMMIT
 * whose response is lost.
 */
export async function liveThrough<Watch> (t: T, watch: () => Watch): Promise<{ watched: Watch, database: Database }> {
  const { database, proxy } = await openByProxy(t, { pool: { size: 1, maxOverflow: 0, maxWaiting: 1 }, leakWarningSeconds: 1 })
  const { collide } = await conflicts(database)
  const watched = watch()
  const repo = database.repo(users)
  await repo.filter({ email: canary })
  await repo.create({ email: canary })
  await t.rejects(repo.create({ email: canary }), { code: 'DB_UNIQUE_VIOLATION' })
  await repo.get(1)
  await repo.create({ email: 'second@example.com' })
  await repo.getAll()
  await t.rejects(database.execute(sql`selct ${canary}`))
  await collide(1)
  await database.session((session) => session.repo(users).create({ email: 'third@example.com' }), { retries: 1 })

  const leaked = deferred<unknown>()
  t.teardown(async () => unsubscribe())
  const unsubscribe = subscribe(leakChannel, leaked.resolve)
  const session = database.createSession()
  await session.repo(users).create({ email: 'fourth@example.com' })
  const waiting = repo.count()
  await t.rejects(repo.count(), { code: 'DB_POOL_TIMEOUT' }, 'too many wait')
  await leaked.promise
  await session.rollback()
  await waiting

  const unknown = database.createSession()
  await unknown.repo(users).create({ email: 'fifth@example.com' })
  const lost = proxy.loseAnswer('commit')
  await t.rejects(unknown.commit(), { code: 'DB_COMMIT_UNKNOWN' })
  await lost
  await repo.count()
  return { watched, database }
}
