import { integer, pgTable, text } from 'drizzle-orm/pg-core'

/** The row of a request; it adds one job with the same id, in the same transaction. */
export const orders = pgTable('orders', { id: integer().primaryKey() })

/** The events that were handled, once each. */
export const receipts = pgTable('receipts', { id: integer().primaryKey(), job: text().notNull() })

/** Rows that transactions fight for. */
export const counters = pgTable('counters', { id: integer().primaryKey(), value: integer().notNull() })

/** The role of requests with a context, which may write its own orders and add jobs, and nothing else. */
export const clerk = 'clerk'

/**
 * The same in SQL. Two tables have no key, so that a second time shows: `effects`, what handling an event does, and `deliveries`, each
 * time that a worker was given a job. The role sees the orders of its own tenant only.
 */
export const tables = `
  create table orders (id integer primary key);
  create table receipts (id integer primary key, job text not null);
  create table effects (id integer not null);
  create table deliveries (id integer not null, job text not null);
  create table counters (id integer primary key, value integer not null);
  insert into counters select id, 0 from generate_series(0, 7) as id;
  create role ${clerk};
  grant select, insert on orders to ${clerk};
  alter table orders enable row level security;
  create policy odd on orders to ${clerk} using (id % 2 = current_setting('app.parity')::int);
`

/** For graphile-worker, whose tables belong to its owner alone: a function with the rights of the owner. */
export const openToClerk = {
  'pg-boss': `grant usage on schema pgboss to ${clerk}; grant select on pgboss.queue to ${clerk}; grant select, insert on pgboss.job to ${clerk}`,
  'graphile-worker': `
    create schema app;
    grant usage on schema app to ${clerk};
    create function app.add_job (identifier text, payload json, queue_name text, run_at timestamptz, max_attempts int, job_key text, priority int, flags text[], job_key_mode text)
      returns table (id bigint) language sql security definer set search_path = pg_catalog
      as $$ select id from graphile_worker.add_job(identifier, payload, queue_name, run_at, max_attempts, job_key, priority, flags, job_key_mode) $$;
  `
} as const
