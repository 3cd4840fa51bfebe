import { sql } from 'drizzle-orm'
import {
  bigint, bigserial, boolean, char, date, doublePrecision, integer, interval, jsonb, numeric, serial, smallint, smallserial, text, time,
  timestamp, uuid, varchar
} from 'drizzle-orm/pg-core'

/** Columns that are the whole primary key. */
export const keys = {
  id: () => integer().primaryKey().generatedByDefaultAsIdentity(),
  always: () => integer().primaryKey().generatedAlwaysAsIdentity(),
  serial: () => serial().primaryKey(),
  plain: () => integer().primaryKey(),
  wide: () => bigserial({ mode: 'number' }).primaryKey(),
  small: () => smallserial().primaryKey(),
  fives: () => integer().primaryKey().generatedByDefaultAsIdentity({ startWith: 10, increment: 5, cycle: true }),
  uid: () => uuid().primaryKey().default(sql`gen_random_uuid()`)
}

/** Columns that refer to such a key. */
export const links = {
  id: () => integer(),
  always: () => integer(),
  serial: () => integer(),
  plain: () => integer(),
  wide: () => bigint({ mode: 'number' }),
  small: () => smallint(),
  fives: () => integer(),
  uid: () => uuid()
}

/** Columns outside the key, except those of an enum. */
export const types = {
  integer: () => integer(),
  bigint: () => bigint({ mode: 'bigint' }),
  text: () => text(),
  short: () => varchar({ length: 20 }),
  long: () => varchar({ length: 40 }),
  boolean: () => boolean(),
  timestamp: () => timestamp({ withTimezone: true }),
  date: () => date(),
  numeric: () => numeric({ precision: 10, scale: 2 }),
  jsonb: () => jsonb(),
  texts: () => text().array(),
  time: () => time(),
  moment: () => timestamp(),
  small: () => smallint(),
  double: () => doublePrecision(),
  padded: () => char({ length: 5 }),
  uuid: () => uuid(),
  numbers: () => integer().array(),
  span: () => interval()
}

/** A default for each of those columns. */
export const defaults = {
  integer: sql`7`,
  bigint: sql`8`,
  text: sql`'t'`,
  short: sql`'s'`,
  long: sql`'l'`,
  boolean: sql`true`,
  timestamp: sql`now()`,
  date: sql`'2026-01-01'`,
  numeric: sql`1.5`,
  jsonb: sql`'{}'`,
  texts: sql`'{a}'`,
  time: sql`'12:00'`,
  moment: sql`'2026-01-01'`,
  small: sql`3`,
  double: sql`2.5`,
  padded: sql`'p'`,
  uuid: sql`gen_random_uuid()`,
  numbers: sql`'{1}'`,
  span: sql`'1 hour'`
}
