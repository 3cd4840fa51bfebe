import { MigrationError } from '../../../../errors/errors.js'

/** An entity of a schema in format 9, such as a table or a column. */
export type Entity = Record<string, unknown> & { readonly entityType: string }

/** drizzle-kit's state of a schema, in format 9. */
export interface State {
  readonly version: string
  readonly dialect: string
  readonly id: string
  readonly prevIds: readonly string[]
  readonly ddl: readonly Entity[]
}

/** The part of `drizzle-kit/api-postgres` that is used. */
export interface Api {
  generateDrizzleJson (exports: object): Promise<State>
  generateMigration (previous: State, current: State, options: { hints: readonly Hint[] }): Promise<string[]>
  /** @param files the contents of all snapshots, by the names of their folders */
  reconstruct (files: Record<string, unknown>, id: string): Promise<State>
}

/** The part of `drizzle-kit/cli` that is used. */
export interface Cli {
  generate (options: Record<string, unknown> & { hints: readonly Hint[] }): Promise<GenerateResponse>
}

/** What `drizzle-kit generate` answers. */
export type GenerateResponse =
  | { readonly status: 'ok', readonly migration_path: string }
  | { readonly status: 'no_changes' }
  | { readonly status: 'missing_hints', readonly unresolved: readonly MissingHint[] }
  | { readonly status: 'error', readonly error: GenerateError }

/** Why `drizzle-kit generate` wrote nothing. */
export interface GenerateError {
  readonly code: string
  readonly message?: string
  /** Only for merged branches: the pairs that conflict; each description ends with the migration. */
  readonly details?: ReadonlyArray<{ readonly branches: ReadonlyArray<{ readonly statementDescription: string }> }>
}

/** A question that drizzle-kit would ask. */
export interface MissingHint {
  readonly type: string
  readonly kind: string
  readonly entity: readonly string[]
}

/** An answer to a question that drizzle-kit would ask. */
export type Hint =
  | { readonly type: 'rename', readonly kind: string, readonly from: readonly string[], readonly to: readonly string[] }
  | { readonly type: 'create', readonly kind: string, readonly entity: readonly string[] }

/** drizzle-kit's functions on states. */
export async function loadApi (specifier = 'drizzle-kit/api-postgres'): Promise<Api> {
  return await load<Api>(specifier)
}

/** drizzle-kit's commands as functions. */
export async function loadCli (specifier = 'drizzle-kit/cli'): Promise<Cli> {
  return await load<Cli>(specifier)
}

/**
 * Loads a module of drizzle-kit. It is needed only to write migrations, and to compare them with a model.
 *
 * @throws {MigrationError} `DB_MIGRATION_FAILED` if it is not installed
 */
async function load<Module> (specifier: string): Promise<Module> {
  try {
    return await import(specifier) as Module
  } catch (cause) {
    throw new MigrationError('Writing migrations needs drizzle-kit 1.0, which is not installed: npm install --save-dev drizzle-kit@^1.0.0-rc.5', 'DB_MIGRATION_FAILED', { cause })
  }
}
