import { bigint, boolean, char, customType, date, inet, integer, numeric, primaryKey, text, timestamp } from 'drizzle-orm/pg-core'
import { softDelete } from '../../../../src/model/columns.js'
import { declare, snakeCaseSchema, snakeCaseTable } from '../../../helpers/drizzle.js'

export const authors = snakeCaseTable('authors_table', { id: integer().primaryKey(), fullName: text().notNull(), ...softDelete() })

export const books = snakeCaseTable('books', {
  id: integer().primaryKey(),
  authorId: integer().notNull(),
  title: text().notNull(),
  at: timestamp({ withTimezone: true }),
  day: date(),
  ...softDelete()
})

export const pages = snakeCaseTable(
  'pages',
  { bookId: integer().notNull(), number: bigint({ mode: 'bigint' }).notNull(), text: text() },
  (table) => [primaryKey({ columns: [table.bookId, table.number] })]
)

export const days = snakeCaseTable('days', { day: date().primaryKey() })

export const moments = snakeCaseTable('moments', { at: timestamp().primaryKey() })

export const pair = customType<{ data: string }>({ dataType: () => 'pair' })

export const even = customType<{ data: number, driverData: number }>({
  dataType: () => 'integer',
  fromDriver: (value) => {
    if (value % 2 === 0) return value
    throw new RangeError(`odd: ${value}`)
  }
})

export const bills = snakeCaseTable('bills', { id: integer().primaryKey() })

export const lines = snakeCaseSchema('shop').table('bills', {
  id: integer().primaryKey(),
  bill: integer(),
  amount: numeric(),
  big: bigint({ mode: 'bigint' }),
  host: inet(),
  code: char({ length: 4 }),
  pair: pair(),
  isPaid: boolean(),
  tags: numeric().array(),
  at: timestamp({ mode: 'string' })
})

export const numbers = snakeCaseTable('numbers', { bill: integer().primaryKey(), even: even() })

export const wide = snakeCaseTable('wide', {
  bill: integer().primaryKey(), ...Object.fromEntries(Array.from({ length: 150 }, (_, place) => [`c${place}`, integer()]))
})

export const declared = declare({ bills, lines, numbers, wide, authors, books, pages, days, moments }, {
  bills: {
    lines: { many: 'lines', from: 'id', to: 'bill', name: 'of' },
    numbers: { one: 'numbers', from: 'id', to: 'bill' },
    wide: { one: 'wide', from: 'id', to: 'bill' }
  },
  lines: {
    owner: { one: 'bills', from: 'bill', to: 'id', name: 'of' },
    siblings: { many: 'lines', from: 'id', to: 'bill', name: 'siblings' },
    first: { one: 'lines', from: 'bill', to: 'id', name: 'siblings' }
  },
  authors: { books: { many: 'books', from: 'id', to: 'authorId' } },
  books: {
    author: { one: 'authors', from: 'authorId', to: 'id' },
    daily: { one: 'days', from: 'day', to: 'day' },
    pages: { many: 'pages', from: 'id', to: 'bookId' }
  },
  days: { books: { many: 'books', from: 'day', to: 'day' } },
  pages: { book: { one: 'books', from: 'bookId', to: 'id' } }
})

export const tables = `
  create table authors_table (id integer primary key, full_name text not null, deleted_at timestamptz(3));
  create table books (id integer primary key, author_id integer not null, title text not null, at timestamptz, day date, deleted_at timestamptz(3));
  create table days (day date primary key); create table moments (at timestamp primary key);
  create table pages (book_id integer, number bigint, text text, primary key (book_id, number));
  create table strangers (id integer primary key);
  create schema shop; create type pair as (name text, number integer);
  create table bills (id integer primary key);
  create table shop.bills (id integer primary key, bill integer, amount numeric, big bigint, host inet, code char(4), pair pair, is_paid boolean, tags numeric[], at timestamp, undeclared text default 'u');
  create table numbers (bill integer primary key, even integer);
  create table wide (bill integer primary key, ${Array.from({ length: 150 }, (_, place) => `c${place} integer default ${place}`).join()});
  insert into bills values (1), (2), (3);
  insert into shop.bills values (1, 1, 3.30, 9007199254740993, '10.0.0.1', 'a', row(null, null), true, '{1.50,NULL}', '2026-01-01'), (2, 1, null, null, null, null, null, null, null, null), (3, 1, 10.0, 1, '::1/64', '', row('', 2), false, '{}', 'infinity');
  insert into numbers values (1, 2), (2, 3), (3, null);
  insert into wide values (1);
  insert into authors_table values (1, 'Ada', null), (2, 'Bob', null), (3, 'Gone', now());
  insert into books values (10, 1, 'A', '2026-01-01T00:00:00Z', '2026-01-01', null), (11, 1, 'B', null, null, null), (12, 1, 'C', null, null, now()), (13, 3, 'D', null, null, null);
  insert into days values ('2026-01-01');
  insert into pages select b, n, 'p' || n from unnest(array[10, 13]) b, generate_series(1, 3) n;`
