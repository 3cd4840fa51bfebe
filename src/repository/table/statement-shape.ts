import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { PgDialect } from 'drizzle-orm/pg-core'
import { isConstant } from '../../drizzle/constant-sql.js'
import { isSql } from '../../values/column-codec.js'

/** Writes SQL as PostgreSQL reads it. */
export type SqlWriter = Pick<PgDialect, 'sqlToQuery'>

/**
 * One call as a cache key and parameters: calls with equal keys have equal SQL. The values are the parameters, in the order of the
 * SQL.
 */
export class Shape {
  readonly values: unknown[] = []
  /** False if it contains the user's own SQL, which may differ each time and would push reusable statements out of the cache. */
  cacheable = true
  key: string
  readonly operation: string
  readonly #writer: SqlWriter

  constructor (operation: string, writer: SqlWriter) {
    this.operation = operation
    this.key = `${operation} `
    this.#writer = writer
  }

  /** Adds a parameter. SQL is part of the statement: its text goes into the key, its parameters into the values. */
  add (value: unknown): void {
    if (isSql(value)) {
      const fragment = this.#writer.sqlToQuery(value)
      this.key += JSON.stringify(fragment.sql)
      this.values.push(...fragment.params)
    } else {
      this.values.push(value)
    }
  }

  /** Adds the user's own SQL, and makes the shape uncacheable unless the SQL is a constant. */
  addOwn (own: SQL): void {
    if (!isConstant(own)) this.cacheable = false
    this.add(own)
  }
}

/** A parameter whose value is already in the shape. Only the text of a query is kept, so its name does not matter. */
export const parameter = sql.placeholder('parameter')

/** A value in SQL: a parameter, or the SQL itself. */
export function slot (value: unknown): SQL {
  return isSql(value) ? value : sql`${sql.param(value)}`
}
