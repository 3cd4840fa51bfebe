import { isOptions } from '../runtime/option-checks.js'
import { DatabaseError } from './database-error.js'
import type { DatabaseErrorOptions } from './database-error.js'

/** The reason why migrations were not run. */
export type MigrationErrorCode =
  | 'DB_MIGRATION_EDITED' | 'DB_MIGRATION_MISSING' | 'DB_MIGRATION_OUT_OF_ORDER' | 'DB_MIGRATION_PENDING'
  | 'DB_MIGRATION_LOCKED' | 'DB_MIGRATION_IRREVERSIBLE' | 'DB_MIGRATION_NO_DOWN' | 'DB_MIGRATION_FAILED'
  | 'DB_MIGRATION_AMBIGUOUS'

/** Migrations that were refused or failed; the message names the file. */
export class MigrationError extends DatabaseError {
  static override readonly defaults = {
    code: 'DB_MIGRATION_FAILED',
    statusCode: 500,
    message: 'The migrations could not be run'
  }

  declare readonly code: MigrationErrorCode

  constructor (message: string, code: MigrationErrorCode, options: DatabaseErrorOptions = {}) {
    super(message, isOptions(options) ? { ...options, code } : options)
  }
}
