import { Client } from 'pg'
import { createTestDatabase } from '../../../../src/testing/index.js'
import { before } from './found.js'
import type { Test } from 'tap'

/** What PostgreSQL did in a transaction. */
export interface Observation {
  /** The tables that were there before, and whose rows it read or wrote one and all. */
  readonly works: ReadonlySet<string>
  /** The strongest lock on each of them, if it blocks writes. */
  readonly locks: ReadonlyMap<string, string>
}

/** A connection to a new database. */
export async function connect (t: Test): Promise<Client> {
  return open(t, (await createTestDatabase(t)).connectionString)
}

/** A connection whose time zone is not UTC, in which timestamps of either kind would be the same. */
export async function open (t: Test, connectionString: string): Promise<Client> {
  const client = new Client({ connectionString, options: '-c timezone=Europe/Berlin' })
  await client.connect()
  t.after(() => client.end())
  return client
}

/** The schema of {@link before}, with rows. */
export async function prepare (client: Client, earlier: readonly string[] = []): Promise<void> {
  await client.query('drop schema if exists billing cascade; drop schema public cascade; create schema public')
  await client.query(before)
  await client.query(`insert into teams select g, 'a' from generate_series(1, 3) g;
    insert into users (id, name, note, age, price, sum, code, owner, safe) select g, 'a', '1', g, 1, 1, 'a', 1, 's' from generate_series(1, 3) g;
    insert into spare values (1); insert into billing."Odd Names" values (true, 1)`)
  for (const sql of earlier) await client.query(sql)
}

const strength = ['SHARE', 'SHARE ROW EXCLUSIVE', 'EXCLUSIVE', 'ACCESS EXCLUSIVE']

/** Runs a statement in a transaction that is rolled back, and tells what it did to the tables that were there before. */
export async function observe (client: Client, sql: string, earlier: readonly string[]): Promise<Observation> {
  await prepare(client, earlier)
  await client.query('begin')
  try {
    const [tables, scans] = [await relations(client), await readTables(client)]
    await client.query(sql)
    const [after, later] = [await relations(client), await readTables(client)]
    const isRead = (oid: string) => (later.get(oid) ?? 0) > (scans.get(oid) ?? 0)
    const isWritten = (oid: string, node: string) => after.get(oid)?.node !== node
    // A table that is dropped or emptied has no rows that take time.
    const works = [...tables].filter(([oid, { node }]) => after.get(oid)?.isEmpty === false && (isRead(oid) || isWritten(oid, node)))
    const { rows } = await client.query<{ oid: string, mode: string }>("select relation::text as oid, mode from pg_locks where pid = pg_backend_pid() and locktype = 'relation'")
    const locks = rows.map(({ oid, mode }) => [oid, mode.replace(/Lock$/, '').replace(/\B([A-Z])/g, ' $1').toUpperCase()] as const)
    const strongest = (oid: string) => strength.findLast((mode) => locks.some(([other, held]) => other === oid && held === mode))
    // Nobody writes a materialized view but its refresh.
    const blocking = [...tables].flatMap(([oid, { name, kind }]) => [[name, strongest(oid)] as const].filter(([, lock]) => kind !== 'm' || lock === 'ACCESS EXCLUSIVE'))
    return {
      works: new Set(works.map(([, { name }]) => name)),
      locks: new Map(blocking.flatMap(([name, lock]) => lock === undefined ? [] : [[name, lock]]))
    }
  } finally {
    await client.query('rollback')
  }
}

interface Relation { readonly name: string, readonly kind: string, readonly node: string, readonly isEmpty: boolean }

async function relations (client: Client): Promise<Map<string, Relation>> {
  const { rows } = await client.query<Relation & { oid: string }>(`
    select oid::text, oid::regclass::text as name, relkind::text as kind, relfilenode::text as node, pg_relation_size(oid) = 0 as "isEmpty"
    from pg_class where relkind in ('r', 'm', 'p') and relnamespace::regnamespace::text !~ '^pg_|^information_schema'`)
  return new Map(rows.map(({ oid, ...more }) => [oid, more]))
}

/** How often each table was read in this transaction. */
async function readTables (client: Client): Promise<Map<string, number>> {
  const { rows } = await client.query<{ oid: string, scans: number }>('select relid::text as oid, (seq_scan + coalesce(idx_scan, 0))::int as scans from pg_stat_xact_user_tables')
  return new Map(rows.map(({ oid, scans }) => [oid, scans]))
}
