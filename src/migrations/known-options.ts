/**
 * What the functions for migrations take, each option by its name.
 */
import { called, flag, isOptions, isText, text } from '../errors/call-options.js'
import type { CallOptions } from '../errors/call-options.js'
import { isSchema } from '../settings/given.js'
import type { CheckOptions } from './check.js'
import type { CreateOptions } from './kit/create.js'
import type { DownFilesOptions } from './kit/down-files.js'
import type { ModelOptions } from './kit/model.js'
import { limited } from './limits.js'
import type { MigrationOptions, RunnerOptions } from './options.js'
import type { RollbackOptions } from './rollback.js'
import type { RunOptions } from './run.js'

/** What tells which migrations, and on which database. */
export const migrationOptions: CallOptions<MigrationOptions> = {
  connectionString: [(value) => typeof value === 'string', 'is a URL'],
  database: [(value) => Object(Object(Object(value).pool).options) === Object(value).pool?.options, 'is an open database, as openDatabase() or server.db gives it'],
  folder: text,
  table: text,
  lockTimeoutSeconds: limited('lockTimeoutSeconds')
}

const runnerOptions: CallOptions<RunnerOptions> = {
  ...migrationOptions,
  dryRun: flag,
  statementLockTimeoutSeconds: limited('statementLockTimeoutSeconds'),
  lockRetries: limited('lockRetries'),
  signal: [(value) => value instanceof AbortSignal, 'is the signal of an AbortController'],
  onProgress: called,
  onWait: called
}

const modelOptions: CallOptions<ModelOptions> = {
  schema: [isSchema, "is what the module of the tables exports: import * as schema from './schema.js'"],
  folder: text,
  casing: [(value) => value === 'snake_case' || value === 'camelCase', "is 'snake_case' or 'camelCase'"]
}

/** Of runMigrations. */
export const runOptions: CallOptions<RunOptions> = { ...runnerOptions, to: text }
/** Of rollbackMigrations. */
export const rollbackOptions: CallOptions<RollbackOptions> = { ...runnerOptions, steps: limited('steps'), to: text, confirmIrreversible: flag }
/** Of checkMigrations. */
export const checkOptions: CallOptions<CheckOptions> = { ...migrationOptions, ...modelOptions }
/** Of writeDownFiles. */
export const downFilesOptions: CallOptions<DownFilesOptions> = { folder: text, onProgress: called }
/** Of createMigration; its message has to be given. */
export const createOptions: CallOptions<CreateOptions> = {
  ...modelOptions,
  message: text,
  autogenerate: flag,
  prefix: text,
  breakpoints: flag,
  renames: [(value) => isOptions(value) && Object.values(value).every(isText), 'is an object of names: { old: new }'],
  terminal: [(value) => isOptions(value) && typeof Object(value['input']).on === 'function' && typeof Object(value['output']).write === 'function', 'is an object of two streams, { input, output }']
}
