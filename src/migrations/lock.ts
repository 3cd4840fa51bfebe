import { MigrationError } from '../errors/errors.js'
import { withClient, type MigrationOptions } from './options.js'

/** Any two runners on one database ask for the same lock, whatever their folders and tables. */
const lockName = 'fastify-data-access/migrations'

/** lock_not_available */
const lockTimedOut = '55P03'

/**
 * Runs `fn` while no other runner works on the same database. The lock lies on a connection of its own, so that nothing in a migration
 * can let go of it, and ends with that connection, even when this process is killed.
 *
 * @throws {MigrationError} `DB_MIGRATION_LOCKED` when the other one takes longer than `lockTimeoutSeconds`
 */
export function withMigrationLock<Result> (options: MigrationOptions, fn: () => Promise<Result>): Promise<Result> {
  const { lockTimeoutSeconds = 60 } = options
  return withClient(options, async (client) => {
    // 0 would be no limit at all.
    await client.query('select set_config(\'lock_timeout\', $1, false)', [`${Math.max(1, Math.ceil(lockTimeoutSeconds * 1000))}`])
    await client.query('select pg_advisory_lock(hashtextextended($1, 0))', [lockName]).catch((cause: unknown) => {
      if ((cause as { code?: string }).code !== lockTimedOut) throw cause
      throw new MigrationError(
        `Another process has been running migrations on this database for ${lockTimeoutSeconds} seconds: wait for it, or raise lockTimeoutSeconds`,
        'DB_MIGRATION_LOCKED', { cause }
      )
    })
    return fn()
  })
}
