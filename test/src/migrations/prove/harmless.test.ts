import t from 'tap'
import { postgres15 } from '../../../helpers/postgres-15.js'
import { embedded, proveEach } from './proving.js'

/** Migrations that the code of now does not notice. */
const harmless: ReadonlyArray<readonly [title: string, sql: string]> = [
  ['adds a column that may be NULL', 'alter table customers add country text'],
  ['adds a column with a default', "alter table customers add country text not null default 'CH'"],
  ['adds a generated column', 'alter table customers add shout text generated always as (upper(name)) stored'],
  ['adds a table', 'create table items (id int primary key, invoice_id bigint not null references invoices)'],
  ['adds an index', 'create index on customers (nickname)'],
  ['drops an index that is not unique', 'drop index customers_name'],
  ['lengthens a text', 'alter table customers alter name type varchar(80)'],
  ['makes a text unlimited', 'alter table customers alter name type text'],
  ['makes a whole number larger', 'alter table invoices alter customer_id type int8'],
  ['adds digits to a decimal number', 'alter table customers alter rate type numeric(14, 4)'],
  ['lengthens the texts of an array', 'alter table customers alter tags type text[]'],
  ['gives a date a time', 'alter table customers alter born type timestamptz'],
  ['adds a value to an enum', "alter type status add value 'refunded'"],
  ['drops NOT NULL', 'alter table customers alter name drop not null'],
  ['changes a default', "alter table customers alter kind set default 'company'"],
  ['adds a default', "alter table customers alter nickname set default ''"],
  ['adds a constraint on a column that no statement writes', "alter table customers add check (unused <> '') not valid"],
  ['drops a constraint', 'alter table customers drop constraint age_range'],
  ['widens a check', 'alter table customers drop constraint age_range, add constraint age_range check (age between -1 and 200)'],
  ['renames a constraint', 'alter table invoices rename constraint positive to total_is_positive'],
  ['makes a constraint anew under another name', 'alter table invoices drop constraint positive, add constraint total_is_positive check (total > 0)'],
  ['renames a unique index', 'alter index customers_email_key rename to one_customer_per_address'],
  ['comments on a column', "comment on column customers.name is 'As on the passport'"],
  ['adds a function, and one with a default parameter', "create function shout (text) returns text language sql as 'select upper($1)'; drop function initials; create function initials (text, size int default 1) returns text language sql as 'select left($1, $2)'"],
  ['drops a column that no statement names', 'alter table customers drop column unused'],
  ['drops a foreign key', 'alter table invoices drop constraint invoices_customer_id_fkey'],
  ['gives a view another column', 'create or replace view open_invoices as select id, total, customer_id from invoices where status = \'open\''],
  ['loosens a domain', 'alter domain phone drop constraint phone_check'],
  ['makes a text of a domain', 'alter table customers alter phone type text'],
  ['adds a column that a trigger fills', `
    alter table customers add slug text not null default ''; alter table customers alter slug drop default;
    create function fill_slug () returns trigger language plpgsql as 'begin new.slug := lower(new.name); return new; end';
    create trigger fill_slug before insert on customers for each row execute function fill_slug()`],
  ['renames a table, and puts a view in its place', 'alter table payments rename to receipts; create view payments as select id, invoice_id, paid from receipts'],
  ['enables policies on a table whose owner the program is', 'alter table payments enable row level security'],
  ['writes rows', "update customers set nickname = 'x'"]
]

for (const [release, url] of [['18', embedded], ['15', postgres15]] as const) {
  t.test(`passes each of ${harmless.length} migrations that running code does not notice, on PostgreSQL ${release}`, async (t) => {
    const { proof, each } = await proveEach(t, harmless.map(([, sql]) => sql), await url(t))
    for (const [index, [title]] of harmless.entries()) t.strictSame(each[index], [], title)
    t.match(proof, { ok: true })
    t.strictSame(proof.running, { statements: 14 * harmless.length, broken: [], unproved: [] })
  })
}
