import { sql } from 'drizzle-orm'
import { boolean, date, doublePrecision, integer, inet, numeric, pgEnum, pgTable, text, unique, uuid, varchar } from 'drizzle-orm/pg-core'
import t from 'tap'
import { openDatabase } from '../../../../src/database/open-database.js'
import type { Database } from '../../../../src/index.js'
import { createTestDatabase } from '../../../../src/testing/index.js'

const mood = pgEnum('mood', ['fine', 'sad'])
const things = pgTable('things', {
  id: integer().primaryKey(),
  name: varchar({ length: 5 }).notNull().unique(),
  ownerId: integer('owner id').references(() => owners.id),
  age: integer(),
  price: numeric({ precision: 4, scale: 2 }),
  ratio: doublePrecision(),
  token: uuid(),
  flag: boolean(),
  mood: mood(),
  day: date(),
  address: inet(),
  note: text()
})
const owners = pgTable('owners', { id: integer().primaryKey() })
const pairs = pgTable(
  'pairs',
  { id: integer().primaryKey().generatedAlwaysAsIdentity(), a: integer(), b: text(), note: text() },
  (table) => [unique().on(table.a, table.b).nullsNotDistinct()]
)

const { connectionString } = await createTestDatabase(t, {
  sql: `create type mood as enum ('fine', 'sad'); create table owners (id integer primary key); insert into owners values (1);
    create table things (id integer primary key, name varchar(5) not null constraint things_name_key unique, "owner id" integer references owners, age integer constraint grown check (age >= 0), price numeric(4, 2),
      ratio float8, token uuid, flag boolean, mood mood, day date, address inet, note text);
    create function refuse() returns trigger language plpgsql as $$ begin if new.note = 'raise' then raise unique_violation; end if; return new; end $$;
    create trigger refuse before insert on things for each row execute function refuse();
    create table pairs (id integer primary key generated always as identity, a integer, b text, note text, unique nulls not distinct (a, b))`
})

type Thing = typeof things.$inferInsert

/** An invalid value, and the expected parts of its error. */
const faults: ReadonlyArray<readonly [values: Record<string, unknown>, name: string, columns: readonly string[] | undefined, message: RegExp]> = [
  [{ age: 'old' }, 'ValidationError', ['age'], /Column "age"/],
  [{ age: 3000000000 }, 'ValidationError', ['age'], /Column "age"/],
  [{ name: 'far too long' }, 'ValidationError', ['name'], /Column "name"/],
  [{ price: '123.45' }, 'ValidationError', ['price'], /Column "price"/],
  [{ price: 'dear' }, 'ValidationError', ['price'], /Column "price"/],
  [{ ratio: 'half' }, 'ValidationError', ['ratio'], /Column "ratio"/],
  [{ ratio: '1e400' }, 'ValidationError', ['ratio'], /Column "ratio"/],
  [{ token: 'x' }, 'ValidationError', ['token'], /Column "token"/],
  [{ flag: 'maybe' }, 'ValidationError', ['flag'], /Column "flag"/],
  [{ mood: 'angry' }, 'ValidationError', ['mood'], /Column "mood"/],
  [{ day: '2026-02-30' }, 'ValidationError', ['day'], /Column "day"/],
  [{ address: 'here' }, 'ValidationError', ['address'], /Column "address"/],
  [{ note: 7 }, 'ValidationError', ['note'], /Column "note"/],
  [{ nope: 7 }, 'ValidationError', ['nope'], /Unknown column "nope"/],
  [{ name: undefined }, 'NotNullViolationError', ['name'], /required value/],
  [{ age: -1 }, 'CheckViolationError', undefined, /breaks a rule/],
  [{ ownerId: 2 }, 'ForeignKeyViolationError', ['ownerId'], /refers/],
  [{ name: 'taken' }, 'UniqueViolationError', ['name'], /same unique value/]
]

const row = (id: number): Thing => ({ id, name: `n${id}`, note: 'good' })

/** The methods that write many rows. */
const ways: ReadonlyArray<readonly [name: string, write: (database: Database, rows: Thing[]) => Promise<unknown>]> = [
  ['createMany', (database, rows) => database.repo(things).createMany(rows)],
  ['createMany without rows', (database, rows) => database.repo(things).createMany(rows, { returning: false })],
  ['upsertMany', (database, rows) => database.repo(things).upsertMany(rows)]
]

for (const [fault, name, columns, message] of faults) {
  t.test(`an error names its row and column: ${JSON.stringify(fault)}`, async (t) => {
    const database = await openDatabase({ connectionString })
    t.teardown(() => database.close())
    const repo = database.repo(things)
    await repo.deleteMany({}, { all: true })
    await repo.create({ id: 9999, name: 'taken' })
    const bad = { ...row(70), name: 'bad', ...fault } as Thing
    await t.rejects(repo.create(bad), { name, message, context: { ...(columns !== undefined && { columns }), row: undefined } })
    if (!('ownerId' in fault) && !('name' in fault && fault['name'] === undefined)) {
      await repo.create(row(70))
      await t.rejects(repo.update(70, fault), { name, message, context: { ...(columns?.[0] !== undefined && name === 'ValidationError' && { columns }) } })
      await repo.delete(70)
    }
    for (const [many, write] of ways) {
      for (const length of [1, 3, 2600]) {
        for (const place of new Set([0, Math.trunc(length / 2), length - 1])) {
          const rows = Array.from({ length }, (_, index) => index === place ? { ...bad, id: index } : row(index))
          await t.rejects(
            write(database, rows),
            { name, message: new RegExp(`^rows\\[${place}\\]: .*${message.source}`), context: { row: place, ...(columns !== undefined && { columns }) } },
            `${many} ${place} of ${length}`
          )
        }
      }
    }
    t.equal(await repo.count(), 1, 'nothing is kept')
  })
}

t.test("the error of a duplicate names the second new row; the user's own texts stay unchanged", async (t) => {
  const database = await openDatabase({ connectionString, errors: { constraints: { things_name_key: { message: 'This name is taken', status: 422 } } } })
  t.teardown(() => database.close())
  const repo = database.repo(things)
  await repo.deleteMany({}, { all: true })
  for (const length of [10, 200]) {
    const rows = Array.from({ length }, (_, id) => ({ id, name: id === 4 || id === 7 ? 'same' : `n${id}` }))
    await t.rejects(repo.createMany(rows), {
      name: 'UniqueViolationError',
      message: /^This name is taken$/,
      statusCode: 422,
      context: { row: 7, columns: ['name'], constraint: 'things_name_key' }
    })
  }
  const alike = Array.from({ length: 60 }, (_, id) => ({ id, name: `n${id}`, age: id === 8 || id === 9 ? -1 : 1 }))
  await t.rejects(repo.createMany(alike.map((each) => ({ ...each, note: 'x, 1, y' }))), { name: 'CheckViolationError', context: { row: 8 } })
  const blurred = alike.map(({ age, id }) => ({ age, id: sql<number>`${id}::integer`, name: sql<string>`'n' || ${id}` }))
  await t.rejects(
    repo.createMany(blurred as never),
    { name: 'CheckViolationError', message: 'A value breaks a rule of the database', context: { row: undefined } },
    'the failed row may be either'
  )
  await t.rejects(
    repo.createMany(alike.map((each) => ({ ...each, age: 1, note: each.id === 3 ? 'raise' : 'x' }))),
    { name: 'UniqueViolationError', context: { row: undefined, columns: undefined } },
    'PostgreSQL tells nothing'
  )
})

t.test('other errors of PostgreSQL name no row', async (t) => {
  const database = await openDatabase({ connectionString })
  t.teardown(() => database.close())
  const gone = pgTable('gone', { id: integer().primaryKey(), a: integer(), b: integer() })
  await t.rejects(database.repo(gone).createMany([{ id: 1 }]), { message: /does not exist/, context: { sqlState: '42P01', row: undefined } })
  await t.rejects(database.repo(things).create({ ...row(1), age: sql`1 / 0` as never }), {
    name: 'DatabaseError', context: { sqlState: '22012', columns: undefined }
  })
  await t.rejects(database.repo(things).create({ ...row(1), age: sql`'x'::text::integer` as never }), {
    name: 'ValidationError', message: 'A value does not fit its column'
  })
  await t.rejects(database.repo(things).create({ ...row(1), name: sql`null` as never }), { name: 'NotNullViolationError', context: { columns: ['name'] } })
})

t.test('getOrCreate accepts null for a value where the key does', async (t) => {
  const database = await openDatabase({ connectionString })
  t.teardown(() => database.close())
  const repo = database.repo(pairs)
  const made = await Promise.all(Array.from({ length: 8 }, () => repo.getOrCreate({ a: 1, b: null }, { note: 'first' })))
  t.equal(made.filter(({ created }) => created).length, 1)
  t.equal(new Set(made.map(({ row: { id } }) => id)).size, 1)
  t.match(await repo.getOrCreate({ a: null, b: null }), { created: true, row: { a: null, b: null } })
  t.match(await repo.getOrCreate({ a: { eq: null }, b: null }), { created: false })
  t.equal(await repo.count(), 2)
  await t.rejects(database.repo(things).getOrCreate({ id: null } as never), /has to name every column of a unique key/)
})
