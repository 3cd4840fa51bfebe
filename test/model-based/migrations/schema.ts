import { isNotNull, lte, sql } from 'drizzle-orm'
import {
  check, index, integer, pgEnum, pgMaterializedView, pgPolicy, pgSchema, pgSequence, pgTable, pgView, primaryKey, text, unique, uniqueIndex,
  type ExtraConfigColumn, type IndexBuilder, type PgColumn, type PgColumnBuilderBase, type PgEnum, type PgPolicy, type PgTable
} from 'drizzle-orm/pg-core'
import { defaults, keys, links, types } from './columns.js'
import type { ColumnPlan, ModelPlan, Reader, TablePlan } from './models.js'

/** The exports of a module with the model's tables. */
export function schemaOf ({ tables, mood, view, sequence }: ModelPlan): Record<string, unknown> {
  const enumeration = mood === undefined ? undefined : pgEnum(mood.name, mood.values as [string, ...string[]])
  const apart = pgSchema('apart')
  const schema: Record<string, unknown> = {
    ...enumeration !== undefined && { mood: enumeration },
    ...sequence !== undefined && {
      count: pgSequence(sequence.name, { cycle: sequence.cycle, increment: sequence.increment, maxValue: sequence.maxValue, minValue: -1000, startWith: 5 })
    },
    ...Object.values(tables).some((table) => table?.apart) && { apart }
  }
  const built = (name: string): ReturnType<typeof pgTable> => schema[name] as ReturnType<typeof pgTable>
  for (const [name, plan] of Object.entries(tables)) {
    if (plan === undefined) continue
    const target = plan.refersTo
    const key = target === undefined ? undefined : tables[target.table]?.key
    const columns: Record<string, PgColumnBuilderBase> = {
      ...keyOf(plan),
      ...Object.fromEntries(Object.entries(plan.columns).flatMap(([columnName, columnPlan]) => {
        const made = columnPlan === undefined ? undefined : columnOf(columnPlan, enumeration)
        return made === undefined ? [] : [[columnName, made]]
      })),
      ...key !== undefined && key !== 'pair' && {
        link: (links[key]() as ReturnType<typeof integer>).references(() => built(target!.table)['id']!, { onDelete: target!.onDelete })
      },
      ...plan.generated !== undefined && isImmutable(plan, plan.generated.from) && { made: madeOf(plan.generated) }
    }
    const more = (self: Partial<Record<string, ExtraConfigColumn>>) => extras(name, plan, self, enumeration)
    schema[name] = plan.apart ? apart.table(name, columns, more) : pgTable(name, columns, more)
  }
  return { ...schema, ...view !== undefined && schema[view.table] !== undefined && viewsOf(view, schema[view.table] as PgTable) }
}

/** Whether the conversion of a column to text is immutable. */
function isImmutable ({ columns }: TablePlan, name: string): boolean {
  return ['integer', 'bigint', 'text', 'short', 'long', 'boolean', 'numeric', 'jsonb', 'small', 'uuid'].includes(columns[name]?.type ?? '')
}

function madeOf ({ from, how, unique: isUnique }: NonNullable<TablePlan['generated']>) {
  const column = [
    () => integer().generatedAlwaysAs(sql.raw(`length("${from}"::text)`)),
    () => integer().generatedAlwaysAs(sql`length(${sql.identifier(from)}::text) + ${7}`),
    () => text().generatedAlwaysAs(sql.raw(`coalesce("${from}"::text, 'none')`))
  ][how]!() as ReturnType<typeof text>
  return isUnique ? column.unique() : column
}

/** The views of a table. */
function viewsOf ({ column, materialized, above }: NonNullable<ModelPlan['view']>, table: PgTable) {
  const columns = table as unknown as Partial<Record<string, PgColumn>>
  const picked = column === undefined ? undefined : columns[column]
  const seen = (materialized
    ? pgMaterializedView('seen')
    : pgView('seen')).as((q) => column === undefined
    ? q.select().from(table) as never
    : picked === undefined ? q.select({ seen: sql<number>`1`.as('seen') }).from(table) : q.select({ seen: picked }).from(table) as never)
  return { seen, ...above && { above: pgView('a_view_above').as((q) => q.select().from(seen)) } }
}

function keyOf ({ key }: TablePlan) {
  if (key !== 'pair') return { id: keys[key]() }
  return { left: integer().notNull().default(0), right: integer().notNull().default(sql`floor(random() * 1000000000)`) }
}

function columnOf ({ type, notNull, hasDefault, unique: isUnique }: ColumnPlan, enumeration: PgEnum<[string, ...string[]]> | undefined) {
  const isMood = type === 'mood' || type === 'moods'
  if (isMood && enumeration === undefined) return undefined
  const base = isMood ? type === 'mood' ? enumeration!() : enumeration!().array() : types[type]()
  // The objects in columns.ts pair each default with its type.
  const withDefault = hasDefault
    ? base.default((isMood ? type === 'mood' ? enumeration!.enumValues.at(-1) : [enumeration!.enumValues.at(-1)] : defaults[type]) as never)
    : base
  const withNull = notNull ? withDefault.notNull() : withDefault
  return isUnique && type !== 'boolean' ? withNull.unique() : withNull
}

function extras (name: string, plan: TablePlan, self: Partial<Record<string, ExtraConfigColumn>>, enumeration: PgEnum<[string, ...string[]]> | undefined) {
  const has = (column: string) => self[column] !== undefined
  const indexed = plan.index.filter(has)
  return [
    ...plan.key === 'pair' ? [primaryKey({ columns: [self['left']!, self['right']!] })] : [],
    ...indexed.length > 0 && indexed.every((column) => plan.columns[column]?.type !== 'jsonb')
      ? [
          index(`${name}_index`).on(...indexed.map((column) => self[column]!) as [never])
        ]
      : [],
    ...plan.uniquePair && has('one') && has('two') ? [unique(`${name}_pair`).on(self['one']!, self['two']!)] : [],
    ...plan.uniqueIndex && has('three') ? [uniqueIndex(`${name}_three`).on(self['three']!)] : [],
    ...plan.check !== undefined && plan.columns['one']?.type === 'integer' ? [check(`${name}_check`, sql.raw(`"one" > ${plan.check}`))] : [],
    ...plan.check !== undefined && has('two') && plan.columns['two']?.type === 'mood'
      ? [
          check(`${name}_mood`, lte(self['two']!, enumeration!.enumValues.at(-1)))
        ]
      : [],
    ...plan.readers.filter(({ column }) => has(column)).flatMap(({ kind, column }, index): Array<PgPolicy | IndexBuilder> => readerOf(
      `${name}_${kind}${index}`,
      kind,
      { plan, column, self }
    ))
  ]
}

function readerOf (
  name: string,
  kind: Reader,
  { plan, column, self }: { plan: TablePlan, column: string, self: Partial<Record<string, ExtraConfigColumn>> }
): Array<PgPolicy | IndexBuilder> {
  if (kind === 'insertPolicy') return [pgPolicy(name, { for: 'insert', withCheck: isNotNull(self[column]!) })]
  if (kind === 'restriction') return [pgPolicy(name, { as: 'restrictive', for: 'update', to: 'public', using: isNotNull(self[column]!), withCheck: sql`true` })]
  if (kind === 'policy') return [pgPolicy(name, { using: isNotNull(self[column]!) })]
  const key = plan.key === 'pair' ? 'left' : 'id'
  if (kind === 'part') return [index(name).on(self[key]!).where(isNotNull(self[column]!))]
  return isImmutable(plan, column) ? [index(name).on(sql`(${self[column]!}::text)`)] : []
}
