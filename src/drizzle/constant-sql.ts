import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'

/** Registered, so that SQL of a schema built by another copy of this package is understood. */
const key: unique symbol = Symbol.for('fastify-data-access:constant')

/** SQL that has no values and stays as it is: made once, and written once for each database instead of for each call. */
export function constant (own: SQL): SQL {
  return Object.assign(own, { [key]: true })
}

/** Whether SQL is one of the constants here. */
export function isConstant (own: SQL): boolean { return key in own }

/** The time of the transaction. */
export const now = constant(sql`now()`)

/** The time of the statement. */
export const clockTimestamp = constant(sql`clock_timestamp()`)

const increments = new WeakMap<PgColumn, SQL>()

/** The value of a column, and one. */
export function plusOne (column: PgColumn): SQL {
  let own = increments.get(column)
  if (own === undefined) increments.set(column, own = constant(sql`${column} + 1`))
  return own
}
