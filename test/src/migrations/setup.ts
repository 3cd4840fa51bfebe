import { Client } from 'pg'
import { hide } from '../../../src/runtime/hidden-properties.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { posts, users, writeFolder, type TestMigration } from './folder.js'
import type { Test } from 'tap'

/** A database without tables, a folder of migrations, and a connection for checks. */
export async function build (t: Test, migrations: readonly TestMigration[] = [users, posts]) {
  const { connectionString } = await createTestDatabase(t)
  const folder = writeFolder(t.testdir({}), migrations)
  const client = new Client({ connectionString })
  await client.connect()
  t.after(() => client.end())
  const tables = async () => {
    const { rows } = await client.query<{ name: string }>("select tablename as name from pg_tables where schemaname = 'public' order by 1")
    return rows.map(({ name }) => name)
  }
  // A rest or spread of the result has only the options of a call.
  return hide({ connectionString, folder, client, tables }, 'client', 'tables')
}

/** The tags of migrations. */
export const tags = (migrations: ReadonlyArray<{ tag: string }>) => migrations.map(({ tag }) => tag)

interface CatalogueRow { readonly what: string, readonly name: string, readonly kind: string, readonly more: string }

/** All objects of a database and its recorded migrations, to check that nothing changed. */
export async function catalogue (client: Client): Promise<{ rows: CatalogueRow[], noted: Array<Record<string, unknown>> }> {
  const { rows } = await client.query<CatalogueRow>(`
    select 'class' as what, c.oid::regclass::text as name, relkind::text as kind, relfilenode::text as more from pg_class c where relnamespace::regnamespace::text !~ '^pg_|^information_schema'
    union all select 'column', attrelid::regclass::text, attname, atttypid::regtype::text || attnotnull || attisdropped from pg_attribute a
      join pg_class c on c.oid = attrelid where relnamespace::regnamespace::text !~ '^pg_|^information_schema'
    union all select 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint where connamespace::regnamespace::text !~ '^pg_|^information_schema'
    union all select 'routine', oid::regprocedure::text, prokind::text, prosrc from pg_proc where pronamespace::regnamespace::text !~ '^pg_|^information_schema'
    union all select 'type', oid::regtype::text, typtype::text, '' from pg_type where typnamespace::regnamespace::text !~ '^pg_|^information_schema'
    union all select 'schema', nspname, '', '' from pg_namespace where nspname !~ '^pg_temp|^pg_toast'
    order by 1, 2, 3, 4`)
  const { rows: [noted] } = await client.query("select to_regclass('drizzle.__drizzle_migrations') is not null as exists")
  return { rows, noted: noted.exists ? (await client.query('select * from drizzle.__drizzle_migrations order by id')).rows : [] }
}

/** The catalogue without ids and times, which differ between runs, and without dropped columns. */
export async function catalogueWithout (client: Client): Promise<unknown> {
  const { rows, noted } = await catalogue(client)
  return { rows: rows.filter(({ kind }) => !kind.startsWith('....')).map(({ more, ...row }) => row), noted: noted.map(({ id, applied_at: at, ...row }) => row) }
}
