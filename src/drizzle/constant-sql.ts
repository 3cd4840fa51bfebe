import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'

/** A registered symbol, so that a schema built by another copy of this package works. */
const key: unique symbol = Symbol.for('fastify-data-access:constant')

/** Marks SQL that has no values and never changes: it is written once per database instead of once per call. */
export function constant (own: SQL): SQL {
  return Object.assign(own, { [key]: true })
}

/** Whether SQL is marked as constant. */
export function isConstant (own: SQL): boolean { return key in own }

/** The time of the transaction. */
export const now = constant(sql`now()`)

/** The time of the statement. */
export const clockTimestamp = constant(sql`clock_timestamp()`)

/** A time as the new value of a column, unless the column differs from it only by microseconds. */
export function unlessSame (column: PgColumn, time: SQL): SQL {
  return sql`case when date_trunc('milliseconds', ${column}) = ${time} then ${column} else ${time} end`
}

const increments = new WeakMap<PgColumn, SQL>()

/** The value of a column plus one. */
export function plusOne (column: PgColumn): SQL {
  let own = increments.get(column)
  if (own === undefined) increments.set(column, own = constant(sql`${column} + 1`))
  return own
}
