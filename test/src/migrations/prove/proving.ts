import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { proveMigrations } from '../../../../src/migrations/index.js'
import { createTestDatabase } from '../../../../src/testing/index.js'
import { writeFolder } from '../folder.js'
import type { MigrationProof, ProveOptions } from '../../../../src/migrations/index.js'
import type { Test } from 'tap'

/** The schema of now. */
export const schemaOfNow = `
create type status as enum ('open', 'paid', 'archived');
create domain phone as text check (value ~ '^[0-9+ ]*$');
create table customers (
  id int generated always as identity primary key, name varchar(50) not null, email text unique, nickname text, age int8 constraint age_range check (age between 0 and 150),
  kind text not null default 'person', score int default 5, meta jsonb, phone phone, rate numeric(10, 2), tags varchar(30)[], born date, unused text
);
create index customers_name on customers (name);
create table invoices (
  id bigint primary key, customer_id int not null references customers, status status not null default 'open', total numeric(12, 2) constraint positive check (total > 0)
);
create table payments (id bigint primary key, invoice_id bigint, paid numeric(12, 2));
create function initials (text) returns text language sql immutable as 'select left($1, 1)';
create view open_invoices as select id, total from invoices where status = 'open';
`

/** The statements of the code that runs now. */
export const statementsOfNow = `
select "id", "name", "email" from "customers" where "id" = $1
select "age", "meta", "born" from "customers" where "age" > $1
select phone, tags from customers where score + $1 > 3
select initials(name) from customers where nickname = any($1)
select id, total from open_invoices
select "id" from "invoices" where "status" = $1
select count(*) from invoices where status = 'archived'
insert into "customers" ("id", "name", "email", "kind", "score") values (default, $1, $2, default, default) returning "id"
insert into customers (name, email) values ($1, $2) on conflict (email) do update set name = excluded.name, age = $3
insert into invoices (id, customer_id, status, total) values ($1, $2, $3, $4)
update customers set nickname = $1, meta = $2, phone = $3, rate = $4, tags = $5, born = $6 where id = $7
with late as (update invoices set total = total + $1 where status = 'open' returning id) select id from late
delete from invoices where id = $1
insert into payments (id, invoice_id, paid) values ($1, $2, $3) on conflict (id) do nothing
`

/** Writes a folder with the schema of now and one pending migration, and the lock. */
export function writeProject (t: Test, sql: string, { lock = statementsOfNow, now = schemaOfNow } = {}): { folder: string, lock: string } {
  const cwd = mkdtempSync(join(tmpdir(), 'prove-'))
  t.teardown(() => rmSync(cwd, { recursive: true }))
  const folder = writeFolder(join(cwd, 'drizzle'), [{ tag: '0000_now', when: 1, sql: now }, { tag: '0001_next', when: 2, sql }])
  const file = join(cwd, 'statements.lock')
  writeFileSync(file, lock)
  return { folder, lock: file }
}

/** Proves one pending migration on the server of a URL. */
export async function prove (t: Test, sql: string, { on, ...options }: ProveOptions & { readonly on: string }): Promise<MigrationProof> {
  return await proveMigrations({ connectionString: on, from: '0000_now', ...writeProject(t, sql), ...options })
}

/** Names of {@link schemaOfNow} in {@link statementsOfNow}. */
const named = /(?<![\w.])"?(customers|invoices|payments|open_invoices|initials)"?(?=[\s(])/g

/**
 * Proves many migrations in one clone, which is much faster than one for each: each has a schema of its own, with the tables and the statements of now.
 * Resolves with the proof of all, and with what is found for each.
 */
export async function proveEach (t: Test, migrations: readonly string[], on: string): Promise<{ proof: MigrationProof, each: string[][] }> {
  const places = migrations.map((sql, index) => ({ sql, schema: `case_${index}` }))
  const proof = await proveMigrations({
    connectionString: on,
    from: '0000_now',
    ...writeProject(t, places.map(({ sql, schema }) => `set local search_path = ${schema}; ${sql};`).join('\n'), {
      now: places.map(({ schema }) => `create schema ${schema}; set local search_path = ${schema}; ${schemaOfNow}`).join(''),
      lock: places.map(({ schema }) => statementsOfNow.replace(named, `${schema}.$1`)).join('')
    })
  })
  const each = places.map(({ schema }) => {
    const own = proof.running.broken.filter(({ statements }) => statements.some((text) => text.includes(`${schema}.`)))
    return described(own).map((text) => text.replaceAll(`${schema}.`, ''))
  })
  return { proof, each }
}

/** The URL of a database on the embedded server. */
export async function embedded (t: Test): Promise<string> {
  return (await createTestDatabase(t)).connectionString
}

/** The objects of all findings, with their SQLSTATEs. */
export function found ({ running: { broken } }: MigrationProof): string[] {
  return described(broken)
}

function described (findings: ReadonlyArray<{ readonly object: string, readonly sqlState: string | undefined }>): string[] {
  return findings.map(({ object, sqlState = 'silently' }) => `${object} ${sqlState}`)
}
