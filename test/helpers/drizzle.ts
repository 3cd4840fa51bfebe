/** Helpers for tests of both versions of Drizzle. The files of test/drizzle-1/ run with 1.0, all others with 0.45. */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import * as drizzle from 'drizzle-orm'
import type * as Drizzle1 from 'drizzle-orm-1'
import * as pgCore from 'drizzle-orm/pg-core'
import type { PgColumnBuilderBase, PgTable } from 'drizzle-orm/pg-core'
import type { DatabaseOptions } from '../../src/index.js'

export const isDrizzle1 = 'defineRelations' in drizzle

/** Declares relations in 0.45. In 1.0 it declares none, and a schema only has tables. */
export const relations: typeof drizzle.relations = isDrizzle1 ? (() => ({})) as unknown as typeof drizzle.relations : drizzle.relations

interface Nestable {
  array (): { array (): PgColumnBuilderBase }
}

/** Makes a column of arrays of arrays. */
export function arrayOfArrays<Builder extends PgColumnBuilderBase & Nestable> (builder: Builder): ReturnType<ReturnType<Builder['array']>['array']> {
  const own = builder as { array (dimensions?: string): { array (): unknown } }
  return (isDrizzle1 ? own.array('[][]') : own.array().array()) as ReturnType<ReturnType<Builder['array']>['array']>
}

/** A relation to one row or to many rows: the name of the other table, and the keys of the columns that are equal. */
export interface TestRelation {
  readonly one?: string
  readonly many?: string
  readonly from: string
  readonly to: string
  /** Tells relations between the same tables apart, in 0.45. */
  readonly name?: string
}

type TestRelations = Readonly<Record<string, Readonly<Record<string, TestRelation>>>>

/** The options of a database that declare tables and their relations: `relations` in 1.0, `schema` in 0.45. */
export function declare (tables: Readonly<Record<string, PgTable>>, relations: TestRelations): Pick<DatabaseOptions, 'schema' | 'relations'> {
  if (isDrizzle1) {
    return {
      relations: related(tables, (make) => mapValues(relations, (own, table) => mapValues(own, ({ one, many, from, to }) => {
        const other = String(one ?? many)
        const relate = one === undefined ? make.many[other] : make.one[other]
        return relate?.({ from: make[table]?.[from], to: make[other]?.[to] })
      })))
    }
  }
  const columnOf = (table: string, key: string) => drizzle.getTableColumns(tables[table] as PgTable)[key] as never
  const relationsOf = (table: string, own: TestRelations[string]) => drizzle.relations(tables[table] as PgTable, (make) => {
    return mapValues(own, ({ one, many, from, to, name }) => {
      const named = name === undefined ? {} : { relationName: name }
      if (one === undefined) return make.many(tables[String(many)] as PgTable, named as never)
      return make.one(tables[one] as PgTable, { fields: [columnOf(table, from)], references: [columnOf(one, to)], ...named })
    })
  })
  const declared = Object.entries(relations).map(([table, own]) => [`relations of ${table}`, relationsOf(table, own)])
  return { schema: { ...tables, ...Object.fromEntries(declared) } }
}

function mapValues<Value, Result> (object: Readonly<Record<string, Value>>, map: (value: Value, key: string) => Result): Record<string, Result> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value, key)]))
}

/** The option `where` for SQL, or for a function that returns it. */
export const whereOf = (condition: unknown): unknown => isDrizzle1 ? { RAW: condition } : condition

/** The option `orderBy` for columns and SQL. */
export const orderByOf = (order: unknown): unknown => isDrizzle1 ? () => order : order

/** The tables and columns that `defineRelations()` of 1.0 passes to its callback, without their types. */
export interface Relater {
  readonly one: Readonly<Record<string, (options?: object) => unknown>>
  readonly many: Readonly<Record<string, (options?: object) => unknown>>
  readonly [table: string]: Readonly<Record<string, unknown>>
}

/** Declares relations in 1.0. */
export function related (tables: Record<string, unknown>, declare: (make: Relater) => Record<string, unknown>): Record<string, unknown> {
  return (drizzle as unknown as typeof Drizzle1).defineRelations(tables as never, declare as never)
}

const { snakeCase: snakeCase1 } = pgCore as unknown as { snakeCase: { table: typeof pgCore.pgTable, schema: typeof pgCore.pgSchema } }

/** Declares a table whose columns have names in snake case: directly in 1.0, and with {@link snakeCase} in 0.45. */
export const snakeCaseTable = isDrizzle1 ? snakeCase1.table : pgCore.pgTable

/** The same for the tables of a schema of PostgreSQL. */
export const snakeCaseSchema = isDrizzle1 ? snakeCase1.schema : pgCore.pgSchema

/** The option of a database for tables of {@link snakeCaseTable}. */
export const snakeCase: { readonly casing?: 'snake_case' } = isDrizzle1 ? {} : { casing: 'snake_case' }

/** The program of drizzle-kit. */
export const drizzleKit = join(dirname(createRequire(import.meta.url).resolve('drizzle-kit')), 'bin.cjs')
