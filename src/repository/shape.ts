import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { PgDialect } from 'drizzle-orm/pg-core'
import { isSql } from './rows.js'

/**
 * What one call asks for, told twice: the key says which statement it is (calls with equal keys have equal SQL),
 * the values are its parameters, in the order in which the SQL has them.
 */
export class Shape {
  readonly values: unknown[] = []
  /** False once the user's own SQL is in it: that may be different each time, and would push out what comes again. */
  cacheable = true
  key: string
  readonly operation: string
  readonly #dialect: PgDialect

  constructor (operation: string, dialect: PgDialect) {
    this.operation = operation
    this.key = `${operation} `
    this.#dialect = dialect
  }

  /** Adds a parameter. SQL in its place is part of the statement: its text goes into the key, its parameters join the values. */
  add (value: unknown): void {
    if (isSql(value)) {
      const fragment = this.#dialect.sqlToQuery(value)
      this.key += JSON.stringify(fragment.sql)
      this.values.push(...fragment.params)
    } else {
      this.values.push(value)
    }
  }

  /** Adds SQL that the user wrote for this call. */
  addOwn (own: SQL): void {
    this.cacheable = false
    this.add(own)
  }
}

/** The place of a value in SQL that is being built: a parameter, or the SQL that stands for it. */
export function slot (value: unknown): SQL {
  return isSql(value) ? value : sql`${sql.param(value)}`
}
