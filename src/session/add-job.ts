import { escapeIdentifier } from 'pg'
import { checkCall } from '../errors/check-call.js'
import { SerializationFailureError, UsageError } from '../errors/errors.js'
import { mustBeSession } from './job-executor.js'
import { sqlStates } from '../errors/sqlstate-codes.js'
import { isText, oneOf, text, wholeNumber } from '../runtime/option-checks.js'
import type { DatabaseError } from '../errors/errors.js'
import type { OptionChecks } from '../runtime/option-checks.js'
import type { Scope } from './scope.js'

/** The options of {@link addJob}, as graphile-worker's SQL function `add_job` has them. */
export interface JobOptions {
  /** Jobs of the same queue run one after the other. */
  readonly queueName?: string | undefined
  /** The time before which the job does not run. @defaultValue now */
  readonly runAt?: Date | undefined
  /** How often the job is tried. @defaultValue 25 */
  readonly maxAttempts?: number | undefined
  /** A waiting job with the same key is replaced. */
  readonly jobKey?: string | undefined
  /** Whether a waiting job with the same key is replaced as a whole, keeps its time, or stays as it is. @defaultValue `replace` */
  readonly jobKeyMode?: 'replace' | 'preserve_run_at' | 'unsafe_dedupe' | undefined
  /** Jobs with a lower number run first. @defaultValue 0 */
  readonly priority?: number | undefined
  /** Words by which workers may skip jobs (`forbiddenFlags`). */
  readonly flags?: readonly string[] | undefined
  /** The schema of the function `add_job`. @defaultValue `graphile_worker` */
  readonly schema?: string | undefined
}

const checks: OptionChecks<JobOptions> = {
  queueName: text,
  runAt: [(value) => value instanceof Date && !Number.isNaN(value.getTime()), 'must be a valid Date'],
  maxAttempts: wholeNumber(1, 32_767),
  jobKey: text,
  jobKeyMode: oneOf('replace', 'preserve_run_at', 'unsafe_dedupe'),
  priority: wholeNumber(-32_767, 32_767),
  flags: [(value) => Array.isArray(value) && value.every(isText), 'must be an array of texts'],
  schema: text
}

/** Says that there is no schema, or no function `add_job` with these parameters in it. */
const missing: ReadonlySet<unknown> = new Set([sqlStates.invalidSchemaName, sqlStates.undefinedFunction])
const notInstalled = 'There is no function add_job of graphile-worker in the schema: start a worker once, or run "graphile-worker --schema-only"; another schema is the option "schema" of addJob()'

/** The same call as graphile-worker's own `addJob`; a `bigint` as text is exact whatever parsers pg has. */
const call = `.add_job(
  identifier => $1::text, payload => $2::json, queue_name => $3::text, run_at => $4::timestamptz, max_attempts => $5::int,
  job_key => $6::text, priority => $7::int, flags => $8::text[], job_key_mode => $9::text
)`

/**
 * Adds a job for graphile-worker in the transaction of a session or scope, by its SQL function `add_job`; resolves with the id of the job.
 * A worker sees it when the transaction is committed, and never if it is rolled back.
 *
 * @param payload any value that JSON can hold; `{}` without one
 * @throws {UsageError} for anything but a session or scope, a name, payload or option that cannot be used, and a schema without `add_job`
 * @throws {SerializationFailureError} if a worker began the job with this key in the same moment; `retries` repeat the transaction
 * @example
 * ```ts
 * await request.repo(orders).create({ id })
 * await addJob(request.db, 'confirm-order', { id }, { maxAttempts: 5 })
 * ```
 */
export async function addJob (
  session: Scope<unknown>,
  name: string,
  ...[payload, options = {}]: [payload?: unknown, options?: JobOptions | undefined]
): Promise<string> {
  mustBeSession(session, 'addJob()')
  checkCall('addJob()', options, checks)
  if (!isText(name)) throw new UsageError('addJob() takes the name of a task, which is a text that is not empty')
  const { queueName, runAt, maxAttempts, jobKey, jobKeyMode, priority, flags, schema = 'graphile_worker' } = options
  const values = [name, textOf(payload), queueName, runAt?.toISOString(), maxAttempts, jobKey, priority, flags, jobKeyMode]
  const { rows: [job] } = await session.query<{ id: string | null }>(`select id::text from ${escapeIdentifier(schema)}${call}`, values).catch(explained)
  // A worker may begin the job with this key between two statements of the function, which then adds nothing and reports nothing.
  if (job?.id == null) throw new SerializationFailureError('The job with this key began in the same moment, and no job was added: try again')
  return job.id
}

function explained (error: DatabaseError): never {
  throw missing.has(error.context.sqlState) ? new UsageError(notInstalled, { cause: error, context: error.context }) : error
}

function textOf (payload: unknown): string {
  let text: string | undefined
  try {
    if (!(payload instanceof Promise)) text = JSON.stringify(payload ?? {})
  } catch {
    // It holds itself, or a bigint.
  }
  if (text === undefined) throw new UsageError('The payload of addJob() must be a value that JSON can hold')
  return text
}
