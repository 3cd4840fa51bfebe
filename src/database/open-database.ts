import { Pool } from 'pg'
import { checkErrorOptions } from '../settings/error-options.js'
import { resolveSettings } from '../settings/settings.js'
import { poolConfig } from '../pool/pool-config.js'
import { Database } from './database.js'
import type { ConstraintMap } from '../errors/constraint-words.js'
import type { TransactionOptions } from '../settings/transaction-options.js'
import type { DatabaseOptions } from '../settings/settings.js'

/** The options of {@link openDatabase}. */
export interface OpenOptions extends DatabaseOptions {
  /** How transactions begin and how long they may take; a call may override it. */
  readonly transaction?: TransactionOptions | undefined
  /** The words of errors, for example of each constraint. */
  readonly errors?: {
    /** Status, code and message for violations of the constraints named. */
    readonly constraints?: ConstraintMap | undefined
  } | undefined
}

/**
 * Opens a database; resolves when the server has answered.
 *
 * @throws {SettingsError} for an unknown or invalid setting, with its name
 * @throws {ConnectionError} if the server does not answer (wait for it with `waitForDatabaseSeconds`, or start without it with `degraded`)
 * @example
 * ```ts
 * const database = await openDatabase({ connectionString: 'postgresql://ada@localhost/shop' })
 * const user = await database.repo(users).get(1)
 * await database.close()
 * ```
 */
export async function openDatabase (options: OpenOptions = {}): Promise<Database> {
  const settings = resolveSettings(options)
  checkErrorOptions(options.errors)
  const pool = settings.pg ?? new Pool(poolConfig(settings))
  const database = new Database(pool, settings, {
    transaction: options.transaction,
    constraints: options.errors?.constraints,
    ownsPool: settings.pg === undefined
  })
  try {
    await database.start()
  } catch (error) {
    await database.close()
    throw error
  }
  return database
}
