import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { openDatabase } from '../../src/index.js'
import { queryOnce } from './backend.js'
import { unhurried } from './database.js'
import { startProxy } from './proxy.js'
import { schema, tables, users } from './schema.js'
import { startPair } from './standby.js'
import { until } from './until.js'
import type { Database, OpenOptions, Session, TransactionOptions } from '../../src/index.js'
import type { Proxy } from './proxy.js'
import type { Pair } from './standby.js'
import type { Test } from './test.js'

/** A primary and a replica, the latter behind a network that fails on demand. */
export interface ReplicatedPair extends Pair {
  readonly proxy: Proxy
  /** Adds a row on the primary, over a connection of its own. */
  add (email: string): Promise<void>
}

export async function startReplicated (t: Test): Promise<ReplicatedPair> {
  const folder = await mkdtemp(join(tmpdir(), 'data-access-replicas-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const pair = await startPair(folder)
  t.teardown(() => Promise.all([pair.primary.stop(), pair.standby.stop()]))
  await queryOnce(pair.primary.connectionString, tables)
  await pair.standby.level()
  return {
    ...pair,
    proxy: await startProxy(t, pair.standby.connectionString),
    add: async (email) => { await queryOnce(pair.primary.connectionString, 'insert into users (email) values ($1)', [email]) }
  }
}

/** Lag that no busy machine reaches, so that only the test decides whether the replica serves. */
export const patient = 120_000

/** Opens a database with the replica; resolves when that serves. */
export async function openReplicated (
  t: Test, { primary, proxy }: ReplicatedPair, { maxLagMillis = patient, ...options }: OpenOptions & { readonly maxLagMillis?: number } = {}
): Promise<Database> {
  const database = await openDatabase({
    connectionString: primary.connectionString,
    replicas: { connectionStrings: [proxy.connectionString], maxLagMillis, pool: { size: 2, maxOverflow: 0 } },
    transaction: { reads: 'replica', token: true },
    schema,
    ...unhurried,
    ...options
  })
  t.teardown(() => database.close())
  await serving(database)
  return database
}

/** Resolves when the replica serves, or no longer. */
export async function serving (database: Database, serves = true): Promise<void> {
  await until(() => database.replicas[0]?.serves === serves)
}

/** A read in a session of its own, which follows a token, if any. */
export function read<Result> (
  database: Database, fn: (session: Session) => Promise<Result>, { after, ...options }: TransactionOptions & { readonly after?: unknown } = {}
): Promise<Result> {
  return database.session((session) => {
    if (after !== undefined) session.readAfter(after)
    return fn(session)
  }, options)
}

/** How many rows a plain read sees. */
export const count = (session: Session): Promise<number> => session.repo(users).count()

/** A plain read that never ends on a replica. */
export const stuckOnReplica = (session: Session): Promise<number> =>
  session.repo(users).count(sql`case when pg_is_in_recovery() then pg_sleep(300) is not null else true end`)

/** Whether a statement runs on a replica. */
export async function isOnReplica (session: Session): Promise<boolean | undefined> {
  const { rows: [row] } = await session.execute<{ standby: boolean }>(sql`select pg_is_in_recovery() as standby`)
  return row?.standby
}

/** Writes a row; resolves with the commit's token. */
export async function write (database: Database, email: string): Promise<string | undefined> {
  const session = database.createSession()
  await session.repo(users).create({ email })
  await session.commit()
  return session.token
}

/** The backends of a server that run the stuck read. */
export function stuckBackends ({ connectionString }: { readonly connectionString: string }): Promise<Array<{ pid: number }>> {
  return queryOnce(connectionString, "select pid from pg_stat_activity where datname = current_database() and query like '%pg_sleep(300)%' and state = 'active' and pid <> pg_backend_pid()")
}
