import { Client } from 'pg'
import { until } from './until.js'
import type { Pool } from 'pg'

/** Runs at COMMIT, and waits there. */
const trigger = `
  create function wait_for_test () returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock(4711); return null; end $$;
  create constraint trigger wait_for_test after insert on users deferrable initially deferred for each row execute function wait_for_test();
`

interface Test {
  teardown (fn: () => Promise<void>): unknown
}

/** Makes every COMMIT of a new user wait until `release`. */
export async function holdCommits (t: Test, { pool }: { readonly pool: Pool }) {
  const client = new Client(pool.options)
  await client.connect()
  t.teardown(() => client.end())
  await client.query(trigger)
  // The lock belongs to a transaction: behind a pooler a session has no connection of its own.
  const hold = () => client.query('begin; select pg_advisory_xact_lock(4711)')
  await hold()
  return {
    /** Holds COMMIT again after a `release`. */
    hold,
    /** Resolves when a COMMIT waits. */
    reached: () => until(async () => {
      const { rowCount } =
        await client.query("select from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())")
      return rowCount !== 0
    }),
    release: () => client.query('commit')
  }
}
