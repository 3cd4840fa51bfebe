import { integer, pgTable } from 'drizzle-orm/pg-core'

/** Every operation leaves a row here, and a row with the same id in {@link rights}. One without the other is a half. */
export const lefts = pgTable('lefts', {
  id: integer().primaryKey()
})

/** The second row, with the changes of accounts and counters, so that both can be recalculated. */
export const rights = pgTable('rights', {
  id: integer().primaryKey(),
  parent: integer().notNull(),
  source: integer(),
  target: integer(),
  counter: integer()
})

export const accounts = pgTable('accounts', {
  id: integer().primaryKey(),
  balance: integer().notNull()
})

export const counters = pgTable('counters', {
  id: integer().primaryKey(),
  value: integer().notNull()
})

/** The number of accounts, and of counters. */
export const few = 8

export const balanceAtStart = 1000

/** The same in SQL. A row without its parent is refused only at COMMIT. */
export const tables = `
  create table lefts (id integer primary key);
  create table rights (
    id integer primary key,
    parent integer not null references lefts deferrable initially deferred,
    source integer, target integer, counter integer
  );
  create table accounts (id integer primary key, balance integer not null);
  create table counters (id integer primary key, value integer not null);
  insert into accounts select id, ${balanceAtStart} from generate_series(1, ${few}) as id;
  insert into counters select id, 0 from generate_series(1, ${few}) as id;
`
