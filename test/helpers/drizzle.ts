/** Helpers for tests of both versions of Drizzle. The files of test/drizzle-1/ run with 1.0, all others with 0.45. */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import * as drizzle from 'drizzle-orm'
import type * as Drizzle1 from 'drizzle-orm-1'
import * as pgCore from 'drizzle-orm/pg-core'
import type * as PgCore1 from 'drizzle-orm-1/pg-core'
import type { PgColumnBuilderBase } from 'drizzle-orm/pg-core'

export const isDrizzle1 = 'defineRelations' in drizzle

/** Declares relations in 0.45. In 1.0 it declares none, and a schema only has tables. */
export const relations: typeof drizzle.relations = isDrizzle1 ? (() => ({})) as unknown as typeof drizzle.relations : drizzle.relations

const { defineRelations } = drizzle as unknown as typeof Drizzle1

interface Nestable {
  array (): { array (): PgColumnBuilderBase }
}

/** Makes a column of arrays of arrays. */
export function arrayOfArrays<Builder extends PgColumnBuilderBase & Nestable> (builder: Builder): ReturnType<ReturnType<Builder['array']>['array']> {
  const own = builder as { array (dimensions?: string): { array (): unknown } }
  return (isDrizzle1 ? own.array('[][]') : own.array().array()) as ReturnType<ReturnType<Builder['array']>['array']>
}

/** The tables and columns that `defineRelations()` of 1.0 passes to its callback, without their types. */
export interface Relater {
  readonly one: Readonly<Record<string, (options?: object) => unknown>>
  readonly many: Readonly<Record<string, (options?: object) => unknown>>
  readonly [table: string]: Readonly<Record<string, unknown>>
}

/** Declares relations in 1.0, as {@link relations} does in 0.45. */
export function related (tables: Record<string, unknown>, declare: (make: Relater) => Record<string, unknown>): Record<string, unknown> {
  return defineRelations(tables as never, declare as never)
}

/** Declares a table whose columns have names in snake case: directly in 1.0, and with {@link snakeCase} in 0.45. */
export const snakeCaseTable = isDrizzle1 ? (pgCore as unknown as typeof PgCore1).snakeCase.table as unknown as typeof pgCore.pgTable : pgCore.pgTable

/** The option of a database for tables of {@link snakeCaseTable}. */
export const snakeCase: { readonly casing?: 'snake_case' } = isDrizzle1 ? {} : { casing: 'snake_case' }

/** The program of drizzle-kit. */
export const drizzleKit = join(dirname(createRequire(import.meta.url).resolve('drizzle-kit')), 'bin.cjs')
