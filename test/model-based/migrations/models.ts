/** Random models: few names, so that two of them have much in common. */
import { sql } from 'drizzle-orm'
import { bigint, boolean, check, date, index, integer, jsonb, numeric, pgEnum, pgTable, primaryKey, text, timestamp, unique, uniqueIndex, uuid, varchar, type ExtraConfigColumn, type PgEnum } from 'drizzle-orm/pg-core'
import fc from 'fast-check'

/** A column besides the key. */
export interface ColumnPlan {
  readonly type: keyof typeof types | 'mood'
  readonly notNull: boolean
  readonly hasDefault: boolean
  readonly unique: boolean
}

/** A table; what refers to a column that is not there is left out. */
export interface TablePlan {
  readonly key: 'id' | 'uid' | 'pair'
  readonly columns: Readonly<Partial<Record<string, ColumnPlan>>>
  readonly index: readonly string[]
  readonly uniquePair: boolean
  readonly uniqueIndex: boolean
  readonly check: number | undefined
  readonly refersTo: { readonly table: string, readonly onDelete: 'cascade' | 'set null' } | undefined
}

/** A model. */
export interface ModelPlan {
  readonly tables: Readonly<Partial<Record<string, TablePlan>>>
  readonly mood: readonly string[] | undefined
}

const types = {
  integer: () => integer(),
  bigint: () => bigint({ mode: 'bigint' }),
  text: () => text(),
  short: () => varchar({ length: 20 }),
  long: () => varchar({ length: 40 }),
  boolean: () => boolean(),
  timestamp: () => timestamp({ withTimezone: true }),
  date: () => date(),
  numeric: () => numeric({ precision: 10, scale: 2 }),
  jsonb: () => jsonb()
}

const defaults = {
  integer: sql`7`, bigint: sql`8`, text: sql`'t'`, short: sql`'s'`, long: sql`'l'`, boolean: sql`true`, timestamp: sql`now()`, date: sql`'2026-01-01'`, numeric: sql`1.5`, jsonb: sql`'{}'`
}

const column: fc.Arbitrary<ColumnPlan> = fc.record({
  type: fc.constantFrom(...Object.keys(types) as Array<keyof typeof types>, 'mood' as const, 'mood' as const),
  notNull: fc.boolean(),
  hasDefault: fc.boolean(),
  unique: fc.boolean()
})

const columnNames = ['one', 'two', 'three']

const table: fc.Arbitrary<TablePlan> = fc.record({
  key: fc.constantFrom('id', 'id', 'uid', 'pair'),
  columns: fc.dictionary(fc.constantFrom(...columnNames), column, { maxKeys: 3, noNullPrototype: true }),
  index: fc.uniqueArray(fc.constantFrom(...columnNames), { maxLength: 2 }),
  uniquePair: fc.boolean(),
  uniqueIndex: fc.boolean(),
  check: fc.option(fc.integer({ min: 0, max: 2 }), { nil: undefined }),
  refersTo: fc.option(fc.record({ table: fc.constantFrom('users', 'posts', 'tags'), onDelete: fc.constantFrom('cascade', 'set null') }), { nil: undefined })
})

/** Any model. */
export const model: fc.Arbitrary<ModelPlan> = fc.record({
  tables: fc.dictionary(fc.constantFrom('users', 'posts', 'tags'), table, { minKeys: 1, maxKeys: 3, noNullPrototype: true }),
  mood: fc.option(fc.uniqueArray(fc.constantFrom('calm', 'glad', 'sad'), { minLength: 1 }), { nil: undefined })
})

/** The exports of a module with the model's tables. */
export function schemaOf ({ tables, mood }: ModelPlan): Record<string, unknown> {
  const enumeration = mood === undefined ? undefined : pgEnum('mood', mood as [string, ...string[]])
  const schema: Record<string, unknown> = enumeration === undefined ? {} : { mood: enumeration }
  const built = (name: string): ReturnType<typeof pgTable> => schema[name] as ReturnType<typeof pgTable>
  for (const [name, plan] of Object.entries(tables)) {
    if (plan === undefined) continue
    const target = plan.refersTo
    const refers = target !== undefined && tables[target.table] !== undefined && tables[target.table]?.key === 'id'
    schema[name] = pgTable(name, {
      ...keyOf(plan),
      ...Object.fromEntries(Object.entries(plan.columns).flatMap(([columnName, columnPlan]) => {
        const made = columnPlan === undefined ? undefined : columnOf(columnPlan, enumeration)
        return made === undefined ? [] : [[columnName, made]]
      })),
      ...refers && { link: integer().references(() => built(target.table)['id']!, { onDelete: target.onDelete }) }
    }, (self) => extras(name, plan, self))
  }
  return schema
}

function keyOf ({ key }: TablePlan) {
  if (key === 'id') return { id: integer().primaryKey().generatedByDefaultAsIdentity() }
  if (key === 'uid') return { uid: uuid().primaryKey().default(sql`gen_random_uuid()`) }
  return { left: integer().notNull().default(0), right: integer().notNull().default(sql`floor(random() * 1000000000)`) }
}

function columnOf ({ type, notNull, hasDefault, unique: isUnique }: ColumnPlan, enumeration: PgEnum<[string, ...string[]]> | undefined) {
  if (type === 'mood' && enumeration === undefined) return undefined
  const base = type === 'mood' ? enumeration!() : types[type]()
  // What fits which type is said in the tables above, type by type.
  const withDefault = hasDefault ? base.default((type === 'mood' ? enumeration!.enumValues[0]! : defaults[type]) as never) : base
  const withNull = notNull ? withDefault.notNull() : withDefault
  return isUnique && type !== 'boolean' ? withNull.unique() : withNull
}

function extras (name: string, plan: TablePlan, self: Partial<Record<string, ExtraConfigColumn>>) {
  const has = (column: string) => self[column] !== undefined
  const indexed = plan.index.filter(has)
  return [
    ...plan.key === 'pair' ? [primaryKey({ columns: [self['left']!, self['right']!] })] : [],
    ...indexed.length > 0 && indexed.every((column) => plan.columns[column]?.type !== 'jsonb') ? [index(`${name}_index`).on(...indexed.map((column) => self[column]!) as [never])] : [],
    ...plan.uniquePair && has('one') && has('two') ? [unique(`${name}_pair`).on(self['one']!, self['two']!)] : [],
    ...plan.uniqueIndex && has('three') ? [uniqueIndex(`${name}_three`).on(self['three']!)] : [],
    ...plan.check !== undefined && plan.columns['one']?.type === 'integer' ? [check(`${name}_check`, sql.raw(`"one" > ${plan.check}`))] : []
  ]
}
