import { MigrationError, UsageError } from '../errors/errors.js'
import { isOptions } from '../runtime/option-checks.js'
import type { DatabaseError } from '../errors/errors.js'
import type { Migration } from './folder/migration-files.js'

/** What a run has done in one schema. */
export interface SchemaRun {
  readonly schema: string
  /** The migrations that were applied, or rolled back, in order; also those before a failure. With `dryRun`, those that would be. */
  readonly migrations: readonly Migration[]
  /** The reason why the schema is not where the run should lead it. A repeated run continues there. */
  readonly error?: DatabaseError
}

/** How many failures the message tells; `schemas` has all. */
const told = 3

/** A run over several schemas that has not finished in all of them. A repeated run goes on with these. */
export class SchemaMigrationError extends MigrationError {
  /** Every schema in order, also those that are finished. */
  readonly schemas: readonly SchemaRun[]

  constructor (schemas: readonly SchemaRun[]) {
    const given: unknown = schemas
    if (!Array.isArray(given) || !given.every(isOptions)) throw new UsageError('new SchemaMigrationError() takes an array with what was done in each schema')
    const failed = schemas.filter(({ error }) => error !== undefined)
    const reasons = failed.slice(0, told).map(({ schema, error }) => `\n${schema}: ${String(error?.message)}`).join('')
    const more = failed.length > told ? `\nand ${failed.length - told} more` : ''
    super(`${failed.length} of ${schemas.length} schemas are not finished; run it again when the reason is gone:${reasons}${more}`, 'DB_MIGRATION_FAILED', { cause: failed[0]?.error })
    this.schemas = schemas
  }
}
