import { inspect } from 'node:util'
import { getTableName, sql } from 'drizzle-orm'
import { integer, pgTable } from 'drizzle-orm/pg-core'
import { isDrizzle1, related, relations } from '../helpers/drizzle.js'
import type { PgColumn } from 'drizzle-orm/pg-core'
import type { Database, DatabaseOptions } from '../../src/index.js'
import type { Builder, MatrixColumn } from './types.js'

/** A table whose column `c` is of one type of the matrix. */
export function valueTable (name: string, column: Builder) {
  // The builder can be of any type, which TypeScript does not know.
  return pgTable(name, { id: integer().primaryKey().generatedByDefaultAsIdentity(), c: column as unknown as ReturnType<typeof integer<'c'>> })
}

type ValueTable = ReturnType<typeof valueTable>

/** The options that declare relations from each row to itself, as one row and as a list. */
export function selfRelations (tables: Record<string, ValueTable>): Pick<DatabaseOptions, 'schema' | 'relations'> {
  if (isDrizzle1) {
    return {
      relations: related(tables, (make) => Object.fromEntries(Object.keys(tables).map((name) => {
        const itself = { from: make[name]?.['id'], to: make[name]?.['id'] }
        return [name, { me: make.one[name]?.(itself), mine: make.many[name]?.(itself) }]
      })))
    }
  }
  const declared = Object.entries(tables).map(([name, table]) => [`${name}Relations`, relationsOf(table)])
  return { schema: { ...tables, ...Object.fromEntries(declared) } }
}

function relationsOf (table: ValueTable) {
  return relations(table, ({ one, many }) => ({
    me: one(table, { fields: [table.id], references: [table.id], relationName: 'same' }), mine: many(table, { relationName: 'same' })
  }))
}

interface Row { id: number, c: unknown }

interface RelatedRow extends Row { me: Row & { x: unknown }, mine: RelatedRow[] }

/** Enough rows for a statement with arrays. */
const many = 60

/** The value and its type as text, in which `5` and `'5'` differ and `NaN` equals itself. */
export const shown = (value: unknown): string => inspect(value, { depth: 9, maxArrayLength: 200, maxStringLength: 500, breakLength: Infinity })

/** Sends each value of a type through every method, and lists the methods that return or store another value. */
export async function checkRoundTrips (database: Database, table: ValueTable, { name, values, comparable, isOrdered }: MatrixColumn): Promise<string[]> {
  const wrong: string[] = []
  const expect = (method: string, actual: unknown, wanted: unknown): void => {
    if (shown(actual) !== shown(wanted)) wrong.push(`${method}: ${shown(actual)} instead of ${shown(wanted)}`)
  }
  // Their text depends on the time zone of the session.
  const isZonedText = name.startsWith('timestamptz string')
  const { rows: [written] } = await database.execute<{ texts: string[] }>(sql.raw(`select array[${values.map(([, expression]) =>
    `(${expression})::text`).join()}] as texts`))
  const texts = written?.texts ?? []
  const repo = database.repo(table)
  const given = values.map(([value]) => value)
  const wanted = isZonedText ? await Promise.all(given.map((value) => zoned(database, value))) : given
  const textsOf = async (rows: readonly Row[]): Promise<unknown[]> => {
    const { rows: found } = await database.execute<{ id: number, text: string | null }>(sql`select id, c::text as text from ${table}`)
    const byId = new Map(found.map(({ id, text }) => [id, text]))
    return rows.map(({ id }) => byId.get(id))
  }
  const stored = async (method: string, rows: readonly Row[], of = wanted, expected = texts): Promise<void> => {
    expect(`${method} returns`, rows.map(({ c }) => c), of)
    expect(`${method} stores`, await textsOf(rows), expected)
  }

  const made: Row[] = []
  for (const c of wanted) made.push(await repo.create({ c } as never) as Row)
  await stored('create', made)
  const places = Array.from({ length: many }, (_, place) => place % wanted.length)
  await stored(
    'createMany',
    await repo.createMany(places.map((place) => ({ c: wanted[place] })) as never) as Row[],
    places.map((place) => wanted[place]),
    places.map((place) => texts[place] as string)
  )
  const shifted = made.map(({ id }, place) => ({ id, c: wanted[(place + 1) % wanted.length] }))
  const shiftedTexts = shifted.map((_, place) => texts[(place + 1) % wanted.length] as string)
  const updated: Row[] = []
  for (const { id, c } of shifted) updated.push(await repo.update(id, { c } as never) as Row)
  await stored('update', updated, shifted.map(({ c }) => c), shiftedTexts)
  const upserted: Row[] = []
  for (const [place, { id }] of made.entries()) upserted.push((await repo.upsert({ id, c: wanted[place] } as never)).row as Row)
  await stored('upsert', upserted)
  await stored('upsertMany', (await repo.upsertMany(Array.from(
    { length: many },
    (_, place) => ({ id: 1000 + place, c: wanted[place % wanted.length] })
  ) as never)).map(({ row }) => row as Row),
  places.map((place) => wanted[place]), places.map((place) => texts[place] as string))
  await repo.deleteMany({ id: { notIn: made.map(({ id }) => id) } } as never)

  const read = (method: string, rows: readonly unknown[]): void => expect(method, rows.map((row) => (row as Row).c), wanted)
  const each: unknown[] = []
  for (const { id } of made) each.push(await repo.get(id))
  read('get', each)
  read('getMany', await repo.getMany(made.map(({ id }) => id)))
  read('filter', await repo.filter({ id: { gt: 0 } } as never))
  const related = await (repo.with({
    me: { extras: { x: sql`${table.c}`.mapWith(table.c).as('x') } },
    mine: { limit: 2, orderBy: (fields: ValueTable) => fields.id, with: { me: true, mine: { columns: { c: true } } } }
  } as never) as Pick<typeof repo, 'getAll'>).getAll() as unknown as RelatedRow[]
  read('with one row', related.map(({ me }) => me))
  read('with an expression', related.map(({ me }) => ({ c: me.x })))
  read('with a list', related.map(({ mine: [row] }) => row))
  read('with one row in a list', related.map(({ mine: [row] }) => row?.me))
  read('with a list in a list', related.map(({ mine: [row] }) => row?.mine[0]))
  const queried = await queryRelations(database, table)
  read('drizzle.query', queried)
  read('drizzle.query with one row', queried.map(({ me }) => me))
  read('drizzle.query with a list', queried.map(({ mine: [row] }) => row))
  read('drizzle.query with one row in a list', queried.map(({ mine: [row] }) => row?.me))
  read('drizzle.query with a list in a list', queried.map(({ mine: [row] }) => row?.mine[0]))
  if (isDrizzle1) {
    // Drizzle 0.45 ignores `mapWith` there.
    read('drizzle.query with an expression', queried.map(({ x }) => ({ c: x })))
    read('drizzle.query with an expression in one row', queried.map(({ me }) => ({ c: me.x })))
  }
  const streamed: unknown[] = []
  for await (const row of repo.stream({}, { batchSize: 2 })) streamed.push(row)
  read('stream', streamed)
  const orders = isOrdered && wanted.length > 1 ? [{ id: 'asc' }, { c: 'asc' }] : [{ id: 'asc' }]
  for (const orderBy of orders) {
    const paged: Row[] = []
    let after: string | null = null
    do {
      const page: { items: unknown[], next: string | null } = await repo.cursor({}, { limit: 2, orderBy, ...(after !== null && { after }) } as never)
      paged.push(...page.items as Row[])
      after = page.next
    } while (after !== null && paged.length <= wanted.length)
    read(`cursor by ${Object.keys(orderBy).join()}`, paged.toSorted((one, other) => one.id - other.id))
  }
  const query = (drizzle: Pick<Database['drizzle'], 'select'>) => drizzle.select({
    id: table.id as PgColumn, c: table.c as PgColumn
  }).from(table as never).orderBy(table.id)
  read('execute', await database.execute(query(database.drizzle)) as unknown[])
  read('drizzle', await query(database.drizzle))
  await database.transaction(async (session) => read('drizzle in a session', await query(session.drizzle)))
  for (const [place, value] of wanted.entries()) {
    if (value === null || !comparable) continue
    const found = await repo.filter({ c: { eq: value } } as never) as Row[]
    if (!found.some(({ id }) => id === made[place]?.id)) wrong.push(`eq finds no ${shown(value)}`)
    const among = await repo.filter({ c: { in: [value] } } as never) as Row[]
    if (!among.some(({ id }) => id === made[place]?.id)) wrong.push(`in finds no ${shown(value)}`)
  }
  // PostgreSQL's array operators compare the elements, and NULL equals nothing.
  for (const [place, value] of wanted.entries()) {
    if (!name.endsWith('[]') || !isOrdered || !Array.isArray(value)) continue
    const held = (name.endsWith('[][]') ? value.flat() : value as unknown[]).filter((item) => item !== null)
    const operand = name.endsWith('[][]') ? [held] : held
    const operators = held.length === 0 ? ['arrayContains'] : ['arrayContains', 'arrayOverlaps']
    for (const operator of operators) {
      if (held.length === 0 && name.endsWith('[][]')) continue
      const found = await repo.filter({ c: { [operator]: operand } } as never) as Row[]
      if (!found.some(({ id }) => id === made[place]?.id)) wrong.push(`${operator} finds no ${shown(value)}`)
    }
  }
  return wrong
}

/** Rows of Drizzle's own relational query, with each form of relation and with expressions of the column. */
async function queryRelations (database: Database, table: ValueTable): Promise<Array<RelatedRow & { x: unknown }>> {
  const extras = isDrizzle1 ? { x: (fields: ValueTable) => sql`${fields.c}`.mapWith(fields.c) } : {}
  const query = database.drizzle.query as unknown as Record<string, { findMany (options: object): Promise<unknown> }>
  const first = isDrizzle1 ? { id: 'asc' } : (fields: ValueTable) => fields.id
  return await query[getTableName(table)]?.findMany({
    orderBy: first,
    extras,
    with: { me: { extras }, mine: { limit: 2, orderBy: first, with: { me: true, mine: { columns: { c: true } } } } }
  }) as Array<RelatedRow & { x: unknown }>
}

/** PostgreSQL's text of a moment, also within arrays. */
async function zoned (database: Database, value: unknown): Promise<unknown> {
  if (Array.isArray(value)) return await Promise.all(value.map((item) => zoned(database, item)))
  const { rows: [row] } = await database.execute<{ text: string | null }>(sql`select ${value}::timestamptz::text as text`)
  return row?.text
}
