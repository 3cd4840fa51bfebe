import t from 'tap'
import { postgres15 } from '../../../helpers/postgres-15.js'
import { embedded, proveEach } from './proving.js'

/** Migrations that break the code of now: what each does, its SQL, and what is found. */
const breaking: ReadonlyArray<readonly [title: string, sql: string, ...found: readonly string[]]> = [
  ['drops a column', 'alter table customers drop column nickname', 'customers.nickname 42703'],
  ['renames a column', 'alter table customers rename name to full_name', 'customers.name 42703'],
  ['drops a table', 'drop view open_invoices; drop table invoices', 'invoices 42P01', 'open_invoices 42P01'],
  ['renames a table', 'alter table payments rename to receipts', 'payments 42P01'],
  ['moves a table into another schema', 'create schema old; alter table payments set schema old', 'payments 42P01'],
  ['drops a view', 'drop view open_invoices', 'open_invoices 42P01'],
  ['takes a column out of a view', 'drop view open_invoices; create view open_invoices as select id from invoices', 'open_invoices.total 42703'],
  ['shortens a text', 'alter table customers alter name type varchar(20)', 'customers.name 22001'],
  ['makes a whole number smaller', 'alter table customers alter age type int4', 'customers.age 22003', 'type integer 22003'],
  ['takes digits from a decimal number', 'alter table customers alter rate type numeric(8, 2)', 'customers.rate 22003'],
  ['shortens the texts of an array', 'alter table customers alter tags type varchar(10)[]', 'customers.tags 22001'],
  ['makes JSON of a text', 'alter table customers alter nickname type jsonb using to_jsonb(nickname)', 'customers.nickname 22P02', 'type jsonb 22P02', 'type jsonb[] 22P02'],
  ['makes a text of JSON', 'alter table customers alter meta type text', 'customers.meta silently'],
  ['adds a column that is NOT NULL without a default', "alter table customers add country text not null default 'CH'; alter table customers alter country drop default", 'customers.country 23502'],
  ['sets NOT NULL on a column that the code may leave empty', "update customers set nickname = ''; alter table customers alter nickname set not null", 'customers.nickname 23502', 'customers.nickname 23502'],
  ['drops a default that an INSERT relies on', 'alter table customers alter kind drop default', 'customers.kind 23502'],
  ['drops the default of a column that may be NULL', 'alter table customers alter score drop default', 'customers.score silently'],
  ['drops an identity', 'alter table customers alter id drop identity', 'customers.id 23502'],
  ['drops a function', 'drop function initials', 'initials(text) 42883'],
  ['changes the parameter of a function', "drop function initials; create function initials (jsonb) returns text language sql as 'select $1 #>> ''{}'''", 'initials(text) 42883'],
  ['tightens a check', 'alter table customers drop constraint age_range, add constraint age_range check (age between 18 and 150)', 'customers.age 23514'],
  ['adds a check that holds for new rows only', "alter table customers add check (nickname <> '') not valid", 'customers.nickname 23514'],
  ['tightens a domain', "alter domain phone add constraint swiss check (value like '+41%')", 'customers.phone 23514', 'type phone 23514'],
  ['adds a foreign key', 'alter table payments add foreign key (invoice_id) references invoices', 'payments.invoice_id 23503'],
  ['adds a unique index', 'create unique index on payments (invoice_id)', 'payments.invoice_id 23505'],
  ['adds a unique index over an expression', 'create unique index on customers (lower(name))', 'customers 23505'],
  ['adds a constraint that excludes', 'alter table payments add exclude using btree (paid with =)', 'payments.paid 23P01'],
  ['takes a value from an enum', `
    drop view open_invoices; alter type status rename to old; create type status as enum ('open', 'paid');
    alter table invoices alter status drop default, alter status type status using status::text::status, alter status set default 'open'; drop type old;
    create view open_invoices as select id, total from invoices where status = 'open'`, 'invoices.status 22P02', 'type status 22P02', 'type status 22P02'],
  ['drops the unique index that ON CONFLICT needs', 'alter table customers drop constraint customers_email_key', 'customers 42P10'],
  ['generates a column', "alter table customers drop column nickname; alter table customers add nickname text generated always as ('x') stored", 'customers.nickname 428C9'],
  ['always generates an identity', 'alter table payments alter id add generated always as identity', 'payments 428C9'],
  ['limits a text', 'alter table customers alter nickname type varchar(20)', 'customers.nickname 22001'],
  ['makes a text of a number', "alter table customers alter score drop default, alter score type text, alter score set default '5'", 'customers.score 42883'],
  ['makes a table anew, with a column that is NOT NULL', `
    drop table payments; create table payments (id bigint primary key, invoice_id bigint, paid numeric(12, 2), country text not null)`, 'payments.country 23502'],
  ['makes a table anew, without a column', 'drop table payments; create table payments (id bigint primary key, invoice_id bigint)', 'payments.paid 42703'],
  ['adds a unique index over two columns', 'create unique index on payments (invoice_id, paid)', 'payments 23505'],
  ['forces policies', 'alter table payments enable row level security, force row level security', 'payments 42501'],
  ['puts a view in place of a table, and adds a column that is NOT NULL behind it', `
    alter table payments rename to receipts; alter table receipts add country text not null; create view payments as select id, invoice_id, paid from receipts`, 'receipts.country 23502']
]

for (const [release, url] of [['18', embedded], ['15', postgres15]] as const) {
  t.test(`finds each of ${breaking.length} migrations that break running code, on PostgreSQL ${release}`, async (t) => {
    const { proof, each } = await proveEach(t, breaking.map(([, sql]) => sql), await url(t))
    for (const [index, [title, , ...expected]] of breaking.entries()) t.strictSame(each[index], expected, title)
    t.match(proof, { ok: false, running: { statements: 14 * breaking.length, unproved: [] } })
  })
}
