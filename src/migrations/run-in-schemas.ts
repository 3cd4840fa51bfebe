import { ConnectionError, MigrationError } from '../errors/errors.js'
import { toDatabaseError } from '../errors/to-database-error.js'
import { isPostgresError } from '../errors/redact.js'
import { compareSchemas } from './history/compare-schemas.js'
import { withoutText } from './migration-status.js'
import type { DatabaseError } from '../errors/errors.js'
import { SchemaMigrationError, type SchemaRun } from './schema-migration-error.js'
import type { Migration } from './folder/migration-files.js'
import type { Comparison } from './history/compare.js'
import type { RunnerOptions } from './history/migration-options.js'
import type { Placed, SchemaOptions, SchemaPlace } from './history/schema-place.js'
import type { MigrationStep } from './history/step.js'

/** The two halves of a run in one schema. */
interface SchemaWork<Options> {
  readonly plan: (comparison: Comparison, place: SchemaPlace) => MigrationStep[] | Promise<MigrationStep[]>
  /** Runs the steps under the lock, and adds each finished migration to `done`. */
  readonly run: (options: Options & Placed, done: Migration[]) => Promise<unknown>
}

/**
 * Runs migrations in each schema, one after the other. Each has a table of its own, so a repeated run finds what an earlier one has done. All schemas are
 * compared first, over one connection: those with nothing to do cost no lock. The lock is taken for one schema at a time, so two runners share the work.
 *
 * A failure in one schema does not stop the run, because the schemas do not depend on each other. A reason that concerns all of them does.
 *
 * @throws {SchemaMigrationError} if a schema is not finished
 */
export async function runInSchemas<Options extends RunnerOptions & SchemaOptions> (options: Options, { plan, run }: SchemaWork<Options>): Promise<SchemaRun[]> {
  const { dryRun = false, searchPath = [] } = options
  const { schemas } = await compareSchemas(options)
  const runs: SchemaRun[] = []
  let stopped = false
  for (const { schema, comparison } of schemas) {
    const done: Migration[] = []
    const finish = (error?: DatabaseError): void => { runs.push({ schema, migrations: done, ...error !== undefined && { error } }) }
    try {
      const steps = await plan(comparison, { schema, searchPath })
      if (dryRun) done.push(...steps.map(({ migration }) => withoutText(migration)))
      else if (stopped && steps.length > 0) throw new MigrationError('The run was stopped before this schema', 'DB_MIGRATION_PENDING')
      else if (steps.length > 0) await run({ ...options, place: { schema, searchPath } }, done)
      finish()
    } catch (failure) {
      const error = toDatabaseError(failure)
      stopped ||= concernsAll(error, options.signal)
      finish(error)
    }
  }
  if (runs.some(({ error }) => error !== undefined)) throw new SchemaMigrationError(runs)
  return runs
}

/** Whether a failure has nothing to do with its schema: no connection, another runner, an abort, or an error of a listener. */
function concernsAll (error: DatabaseError, signal: AbortSignal | undefined): boolean {
  const { cause, code } = error
  if (error instanceof ConnectionError || signal?.aborted === true) return true
  return cause === undefined ? code === 'DB_MIGRATION_LOCKED' : !isPostgresError(cause)
}
