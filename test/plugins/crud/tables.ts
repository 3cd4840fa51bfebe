import { sql } from 'drizzle-orm'
import { bigint, integer, numeric, pgTable, primaryKey, text, uuid, varchar } from 'drizzle-orm/pg-core'
import { Repository, softDelete, timestamps, version } from '../../../plugins/index.js'
import { build } from '../../helpers/server.js'
import type { FastifyInstance } from 'fastify'
import type { BuildOptions } from '../../helpers/server.js'
import type { Test } from '../../helpers/test.js'

/** A table with a version, a mark of deletion, and a column that no client may see. */
export const people = pgTable('people', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  name: varchar({ length: 20 }).notNull(),
  email: text().notNull().unique('people_email_key'),
  age: integer(),
  passwordHash: text('pw_hash').notNull().default('s3cr3t-hash'),
  ...timestamps(),
  ...softDelete(),
  ...version()
})

const seatColumns = { row: text().notNull(), place: bigint({ mode: 'bigint' }).notNull(), guest: text() }

/** A table with a composite key and no version. */
export const seats = pgTable('seats', seatColumns, (table) => [primaryKey({ columns: [table.row, table.place] })])

/** A table whose key is given. */
export const items = pgTable('items', { id: uuid().primaryKey(), price: numeric({ precision: 8, scale: 2 }).notNull(), note: text() })

/** Its callers may write fewer columns, and its hook gives a value. */
export class PersonRepository extends Repository.of(people, { writable: ['name', 'email', 'age'] }) {
  protected override beforeCreate (values: Parameters<Repository<typeof people>['create']>[0]) {
    return { ...values, passwordHash: `hash of ${String(values.email)}` }
  }
}

const create = sql.raw(`
  create table people (id integer primary key generated always as identity, name varchar(20) not null, email text not null constraint people_email_key unique,
    age integer check (age >= 0), pw_hash text not null default 's3cr3t-hash' check (pw_hash <> ''), "createdAt" timestamptz(3) not null default now(),
    "updatedAt" timestamptz(3) not null default now(), "deletedAt" timestamptz(3), version integer not null default 1);
  create table seats (row text, place bigint, guest text, primary key (row, place));
  create table items (id uuid primary key, price numeric(8, 2) not null, note text)`)

/** A server with these tables. */
export async function buildCrud (t: Test, options: BuildOptions = {}): Promise<FastifyInstance> {
  const server = await build(t, options)
  await server.db.execute(create)
  return server
}
