import { eq, getTableColumns, sql } from 'drizzle-orm'
import {
  bigint, bigserial, bit, boolean, char, cidr, customType, date, doublePrecision, inet, integer, interval, json, jsonb, line, macaddr, macaddr8,
  numeric, pgEnum, pgSchema, pgTable, point, real, serial, smallint, smallserial, text, time, timestamp, uuid, varchar
} from 'drizzle-orm/pg-core'
import t from 'tap'
import { sqlTypeOf } from '../../../src/drizzle/column-types.js'
import { openRepositories } from '../../helpers/runner.js'
import { arrayOfArrays, snakeCase, snakeCaseTable } from '../../helpers/drizzle.js'

// In UTC a wrong parser of local times would pass unnoticed.
process.env['TZ'] = 'Asia/Kolkata'

const mood = pgEnum('mood', ['sad', 'o"k', 'happy, very'])
const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' })
const money = customType<{ data: { cents: number }, driverData: string }>({
  dataType: () => 'numeric(12, 2)',
  toDriver: ({ cents }) => String(cents / 100),
  fromDriver: (text) => ({ cents: Math.round(Number(text) * 100) })
})
const moment = customType<{ data: Date, driverData: Date }>({
  dataType: () => 'timestamptz', toDriver: (value) => value, fromDriver: (value) => new Date(value)
})
const document = customType<{ data: object, driverData: unknown }>({ dataType: () => 'jsonb', toDriver: (value) => value })

const kindColumns = () => ({
  serialId: serial().primaryKey(),
  aBigserial: bigserial({ mode: 'bigint' }),
  aSmallserial: smallserial(),
  anInteger: integer(),
  aSmallint: smallint(),
  aBigNumber: bigint({ mode: 'number' }),
  aBigint: bigint({ mode: 'bigint' }),
  aBoolean: boolean(),
  aText: text(),
  aVarchar: varchar({ length: 30 }),
  aChar: char({ length: 4 }),
  aNumeric: numeric({ precision: 20, scale: 4 }),
  aNumericNumber: numeric({ mode: 'number' }),
  aNumericBigint: numeric({ mode: 'bigint' }),
  aReal: real(),
  aDouble: doublePrecision(),
  aJson: json(),
  aJsonb: jsonb(),
  aTime: time(),
  aTimetz: time({ withTimezone: true }),
  aTimestamp: timestamp(),
  aTimestamptz: timestamp({ withTimezone: true, precision: 6 }),
  aTimestampString: timestamp({ mode: 'string' }),
  aTimestamptzString: timestamp({ withTimezone: true, mode: 'string' }),
  aDate: date({ mode: 'date' }),
  aDateString: date(),
  anInterval: interval(),
  aUuid: uuid(),
  anInet: inet(),
  aCidr: cidr(),
  aMacaddr: macaddr(),
  aMacaddr8: macaddr8(),
  aBit: bit({ dimensions: 3 }),
  aPoint: point(),
  aPointObject: point({ mode: 'xy' }),
  aLine: line(),
  aLineObject: line({ mode: 'abc' }),
  anEnum: mood(),
  aBytea: bytea(),
  aMoney: money(),
  aMoment: moment(),
  aDocument: document(),
  texts: text().array(),
  integers: integer().array(),
  matrix: arrayOfArrays(integer()),
  numerics: numeric().array(),
  dates: date().array(),
  timestamps: timestamp({ withTimezone: true }).array(),
  plainTimestamps: timestamp().array(),
  intervals: interval().array(),
  uuids: uuid().array(),
  enums: mood().array(),
  booleans: boolean().array(),
  jsons: jsonb().array()
})
const kinds = pgTable('kinds', kindColumns())

const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
const columns = Object.entries(getTableColumns(kinds)).map(([key, column]) => [key, sqlTypeOf(column)] as const)
const create = (name: (key: string) => string) =>
  `create type mood as enum ('sad', 'o"k', 'happy, very'); create table kinds (${columns.map(([key, type]) => `"${name(key)}" ${type}${key === 'serialId'
    ? ' primary key'
    : ''}`).join(', ')})`

const full: typeof kinds.$inferInsert = {
  serialId: 1,
  aBigserial: 9007199254740993n,
  aSmallserial: 3,
  anInteger: -5,
  aSmallint: 7,
  aBigNumber: 9007199254740991,
  aBigint: -9223372036854775808n,
  aBoolean: false,
  aText: 'a "quoted", {braced} \\ text\n',
  aVarchar: 'NULL',
  aChar: 'ab',
  aNumeric: '1234567890123456.7890',
  aNumericNumber: 1.5,
  aNumericBigint: 12345678901234567890n,
  aReal: 1.25,
  aDouble: Number.MIN_VALUE,
  aJson: { a: ['"', null] },
  aJsonb: ['x', { y: 1 }],
  aTime: '12:34:56.789',
  aTimetz: '12:34:56+02',
  aTimestamp: new Date('2024-02-29T12:34:56.789Z'),
  aTimestamptz: new Date('1999-12-31T23:59:59.999Z'),
  aTimestampString: '2024-02-29 12:34:56.123456',
  aTimestamptzString: '2024-02-29 12:34:56.123456+00',
  aDate: new Date('2024-02-29'),
  aDateString: '2024-02-29',
  anInterval: '1 day 02:03:04',
  aUuid: 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11',
  anInet: '10.0.0.1/8',
  aCidr: '10.0.0.0/8',
  aMacaddr: '08:00:2b:01:02:03',
  aMacaddr8: '08:00:2b:01:02:03:04:05',
  aBit: '101',
  aPoint: [1.5, 2],
  aPointObject: { x: 1, y: 2.5 },
  aLine: [1, 2, 3],
  aLineObject: { a: 1, b: 2, c: 3 },
  anEnum: 'o"k',
  aBytea: Buffer.from([0, 1, 255, 92, 34]),
  aMoney: { cents: 1234 },
  aMoment: new Date('2024-02-29T12:34:56.789Z'),
  aDocument: { deep: { er: '"' } },
  texts: ['a', 'b,c', '"', '\\', 'NULL', ''],
  integers: [1, -2],
  matrix: [[1, 2], [3, 4]],
  numerics: ['1.50', '2'],
  dates: ['2024-02-29'],
  timestamps: [new Date('2024-02-29T12:34:56.789Z')],
  plainTimestamps: [new Date('2024-02-29T12:34:56.789Z')],
  intervals: ['1 day 02:03:04'],
  uuids: ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
  enums: ['sad', 'happy, very'],
  booleans: [true, false],
  jsons: [{ a: '"' }, [1]]
}

/** A column of each type, nullable if possible. */
const nulls = { ...Object.fromEntries(Object.keys(full).map((key) => [key, null])), aBigserial: 1n, aSmallserial: 1 }

for (const { casing, table, name, options } of [
  { casing: 'no', table: kinds, name: (key: string) => key, options: {} },
  { casing: 'snake_case', table: snakeCaseTable('kinds', kindColumns()), name: snake, options: snakeCase }
]) {
  t.test(`reads and writes every type of column as Drizzle does, with ${casing} casing`, async (t) => {
    const { repo: open, drizzle, runner } = await openRepositories(t, create(name), options)
    const repo = open(table)
    const empty = { serialId: 2, aBigserial: 1n, aSmallserial: 1 }

    const created = await repo.createMany([full, empty])
    const read = await repo.getAll()
    const byDrizzle = await drizzle.select().from(table).orderBy(table.serialId)
    t.strictSame(created, byDrizzle)
    t.strictSame(read, byDrizzle)
    t.same(Object.keys(read[0] ?? {}), Object.keys(byDrizzle[0] ?? {}))

    await runner.client.query('delete from kinds')
    await drizzle.insert(table).values([full, empty])
    t.strictSame(await drizzle.select().from(table).orderBy(table.serialId), byDrizzle, 'and Drizzle writes the same')

    await runner.client.query('delete from kinds')
    const many = Array.from({ length: 3 }, (_, n) => ({ ...full, serialId: n + 1 }))
    const listed = await repo.createMany(many)
    t.strictSame(listed, many.map(({ serialId }) => ({ ...byDrizzle[0], serialId })), 'and so do lists of them')
    t.match(runner.statements.at(-1)?.text, /unnest/)
    t.strictSame(await repo.createMany([4, 5].map((serialId) => ({ ...nulls, serialId }))), [4, 5].map((serialId) => ({ ...byDrizzle[1], serialId })))

    await runner.client.query('delete from kinds')
    await drizzle.insert(table).values([full, empty])
    const { serialId, ...rest } = full
    t.strictSame(await repo.update(2, rest), { ...byDrizzle[0], serialId: 2 })
    t.equal(serialId, 1)
    t.equal(await drizzle.$count(table, eq(table.aText, 'a "quoted", {braced} \\ text\n')), 2)
  })
}

t.test('finds rows by a value of every type, alone and in a list', async (t) => {
  const { repo: open } = await openRepositories(t, create((key) => key))
  const repo = open(kinds) as unknown as Anything
  await repo.create(full)
  const incomparable = new Set(['aJson', 'aPoint', 'aPointObject'])
  const withoutInequality = new Set(['aLine', 'aLineObject'])
  for (const [key, value] of Object.entries(full)) {
    if (incomparable.has(key)) {
      await t.rejects(repo.count({ [key]: { eq: value } }), { code: 'DB_VALIDATION', message: /cannot compare/ })
      t.equal(await repo.count({ [key]: { isNull: false } }), 1)
      continue
    }
    t.equal(await repo.count({ [key]: { eq: value } }), 1, `${key} eq`)
    t.equal(await repo.count({ [key]: { in: [value] } }), 1, `${key} in`)
    t.equal(await repo.count({ [key]: { in: [value, value] } }), 1, `${key} in two`)
    if (!withoutInequality.has(key)) t.equal(await repo.count({ [key]: { notIn: [value, value] } }), 0, `${key} notIn`)
  }
})

/** A repository with loose types, for filters that a loop makes of keys and values. */
interface Anything {
  create (values: unknown): Promise<unknown>
  count (filter: Record<string, unknown>): Promise<number>
}

t.test('a column whose encoder returns SQL works in writes, filters and lists', async (t) => {
  const shouted = customType<{ data: string }>({ dataType: () => 'text', toDriver: (value) => sql`upper(${value}::text)` })
  const words = pgTable('words', { id: integer().primaryKey(), word: shouted() })
  const { repo: open } = await openRepositories(t, 'create table words (id int primary key, word text)')
  const repo = open(words)
  t.same(await repo.createMany([{ id: 1, word: 'a' }, { id: 2, word: 'b' }]), [{ id: 1, word: 'A' }, { id: 2, word: 'B' }])
  t.match(await repo.update(1, { word: 'c' }), { word: 'C' })
  t.equal(await repo.count({ word: 'c' }), 1)
  t.equal(await repo.count({ word: { in: ['b', 'c'] }, id: 2 }), 1)
  t.equal(await repo.count({ word: { notIn: ['b', 'x'] } }), 1)
})

t.test('an encoder that throws, or returns nothing, makes its value invalid', async (t) => {
  const picky = customType<{ data: string }>({
    dataType: () => 'text',
    toDriver: (value) => {
      if (value === 'throw') throw new Error('no')
      return undefined
    }
  })
  const table = pgTable('picky', { id: integer().primaryKey(), value: picky() })
  const { repo } = await openRepositories(t, 'create table picky (id int primary key, value text)')
  await t.rejects(repo(table).create({ id: 1, value: 'throw' }), { code: 'DB_VALIDATION', cause: { message: 'no' } })
  await t.rejects(repo(table).create({ id: 1, value: 'nothing' }), { code: 'DB_VALIDATION', message: /"value"/ })
})

t.test('custom types that fit no array, or have unknown names, are written as well', async (t) => {
  const own = pgSchema('own')
  const colour = own.enum('Colour', ['red', 'deep blue'])
  const box = customType<{ data: string }>({ dataType: () => 'box' })
  const bytes = customType<{ data: Buffer, driverData: Buffer }>({ dataType: () => 'text', toDriver: (value) => value })
  const odd = own.table('od"d', {
    id: integer().primaryKey(),
    colour: colour(),
    colours: colour('Its \'colours\'').array(),
    frame: box(),
    note: bytes(),
    settings: customType<{ data: object, driverData: unknown }>({
      dataType: () => 'own.settings', toDriver: JSON.stringify, fromDriver: (value) => value as object
    })(),
    word: customType<{ data: string }>({ dataType: () => 'citext' })()
  })
  const { repo: open, runner } = await openRepositories(t, `create schema own; create type own."Colour" as enum ('red', 'deep blue'); create domain own.settings as jsonb; create domain citext as text;
    create table own."od""d" (id int primary key, colour own."Colour", "Its 'colours'" own."Colour"[], frame box, note text, settings own.settings, word citext)`)
  const repo = open(odd)
  const [row, other] = await repo.createMany([1, 2].map((id) => ({ id, frame: '(1,1),(0,0)', settings: { a: 1 } })))
  t.match(row, { id: 1, frame: '(1,1),(0,0)', settings: { a: 1 } })
  t.match(other, { id: 2, frame: '(1,1),(0,0)' })
  t.notMatch(runner.statements[0]?.text, /unnest/)

  const rows = await repo.createMany([3, 4].map((id) => ({ id, colour: 'red' as const, colours: ['deep blue' as const], word: 'a' })))
  t.match(rows, [{ id: 3, colour: 'red', colours: ['deep blue'], word: 'a' }, { id: 4, colours: ['deep blue'] }])
  t.match(runner.statements[1]?.text, /unnest/)

  await repo.createMany([5, 6].map((id) => ({ id, note: Buffer.from('bytes') })))
  t.equal(String((await repo.getOrThrow(6, { columns: ['note'] })).note), 'bytes')
})
