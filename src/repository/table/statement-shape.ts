import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { PgDialect } from 'drizzle-orm/pg-core'
import { isConstant } from '../../drizzle/constant-sql.js'
import { isSql } from '../../values/column-codec.js'

/** Writes SQL as PostgreSQL reads it. */
export type SqlWriter = Pick<PgDialect, 'sqlToQuery'>

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
  readonly #writer: SqlWriter

  constructor (operation: string, writer: SqlWriter) {
    this.operation = operation
    this.key = `${operation} `
    this.#writer = writer
  }

  /** Adds a parameter. SQL in its place is part of the statement: its text goes into the key, its parameters join the values. */
  add (value: unknown): void {
    if (isSql(value)) {
      const fragment = this.#writer.sqlToQuery(value)
      this.key += JSON.stringify(fragment.sql)
      this.values.push(...fragment.params)
    } else {
      this.values.push(value)
    }
  }

  /** Adds SQL that the user wrote for this call, unless it is known that it never changes. */
  addOwn (own: SQL): void {
    if (!isConstant(own)) this.cacheable = false
    this.add(own)
  }
}

/** The place of a value in SQL that is being built: a parameter, or the SQL that stands for it. */
export function slot (value: unknown): SQL {
  return isSql(value) ? value : sql`${sql.param(value)}`
}
