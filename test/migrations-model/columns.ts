import { sql } from 'drizzle-orm'
import { bigint, bigserial, boolean, date, integer, jsonb, numeric, serial, text, time, timestamp, uuid, varchar } from 'drizzle-orm/pg-core'

/** Columns that are a primary key alone. */
export const keys = {
  id: () => integer().primaryKey().generatedByDefaultAsIdentity(),
  always: () => integer().primaryKey().generatedAlwaysAsIdentity(),
  serial: () => serial().primaryKey(),
  plain: () => integer().primaryKey(),
  wide: () => bigserial({ mode: 'number' }).primaryKey(),
  uid: () => uuid().primaryKey().default(sql`gen_random_uuid()`)
}

/** The type of what refers to such a key. */
export const links = { id: () => integer(), always: () => integer(), serial: () => integer(), plain: () => integer(), wide: () => bigint({ mode: 'number' }), uid: () => uuid() }

/** Columns that are not, without those of an enum. */
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
  time: () => time()
}

/** A default for each of them. */
export const defaults = {
  integer: sql`7`, bigint: sql`8`, text: sql`'t'`, short: sql`'s'`, long: sql`'l'`, boolean: sql`true`, timestamp: sql`now()`, date: sql`'2026-01-01'`, numeric: sql`1.5`, jsonb: sql`'{}'`, texts: sql`'{a}'`, time: sql`'12:00'`
}
