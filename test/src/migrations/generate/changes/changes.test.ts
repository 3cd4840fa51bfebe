import { sql } from 'drizzle-orm'
import {
  bigint, bigserial, boolean, char, date, doublePrecision, foreignKey, integer, json, jsonb, numeric, pgEnum, pgPolicy, pgSchema, pgSequence, pgTable,
  primaryKey, real, serial, smallint, smallserial, text, time, timestamp, uuid, varchar, type PgColumnBuilderBase
} from 'drizzle-orm/pg-core'
import t from 'tap'
import { roundTrip } from '../round-trip.js'

const id = () => integer().primaryKey()

t.test('values convert to another type and back', async (t) => {
  const mood = pgEnum('mood', ['5', 'a'])
  // Two types, a value, the converted value, and the value after the way back if it differs from the first.
  const cases: Array<[from: PgColumnBuilderBase, to: PgColumnBuilderBase, value: string, there: string, back?: string]> = [
    [text(), text().array(), "it's, {b}", '{"it\'s, {b}"}'],
    [text().array(), text(), '{a}', 'a'],
    [text().array(), text(), '{a,b}', '{a,b}', '{"{a,b}"}'],
    [integer(), integer().array(), '5', '{5}'],
    [integer().array(), bigint({ mode: 'number' }), '{5}', '5'],
    [integer(), text().array(), '5', '{5}'],
    [integer().array(), bigint({ mode: 'number' }).array(), '{5,NULL}', '{5,NULL}'],
    [text().array(), text().array().array(), '{{a},{b}}', '{{a},{b}}'],
    [varchar({ length: 9 }).array(), integer().array(), '{5,6}', '{5,6}'],
    [time(), timestamp(), '12:30', '1970-01-01 12:30:00', '12:30:00'],
    [time(), date(), '12:30', '1970-01-01', '00:00:00'],
    [time({ withTimezone: true }), time(), '12:30+00', '12:30:00', '12:30:00+00'],
    [timestamp(), time(), '2026-02-01 12:30', '12:30:00', '1970-01-01 12:30:00'],
    [date(), time(), '2026-02-01', '00:00:00', '1970-01-01'],
    [date(), timestamp({ withTimezone: true }), '2026-02-01', '2026-02-01 00:00:00+00', '2026-02-01'],
    [integer(), uuid(), '255', '00000000-0000-0000-0000-0000000000ff'],
    [integer(), uuid(), '-1', '00000000-0000-0000-0000-0000ffffffff'],
    [smallint(), uuid(), '-5', '00000000-0000-0000-0000-0000fffffffb'],
    [bigint({ mode: 'number' }), uuid(), '-1', '00000000-0000-0000-ffff-ffffffffffff'],
    [boolean(), integer(), 'true', '1'],
    [boolean(), numeric(), 'true', '1'],
    [bigint({ mode: 'number' }), boolean(), '1', 'true'],
    [integer(), boolean(), '0', 'false'],
    [text(), boolean(), 'true', 'true'],
    [text(), jsonb(), '{"a":1}', '{"a": 1}', '{"a": 1}'],
    [jsonb(), integer(), '5', '5'],
    [jsonb(), boolean(), 'true', 'true'],
    [json(), jsonb(), '{"a":1}', '{"a": 1}', '{"a": 1}'],
    [text(), numeric({ precision: 10, scale: 2 }), '1.50', '1.50'],
    [doublePrecision(), real(), '1.5', '1.5'],
    [numeric(), smallint(), '5', '5'],
    [mood(), text(), 'a', 'a'],
    [mood(), integer(), '5', '5'],
    [text(), mood(), 'a', 'a'],
    [text(), mood().array(), 'a', '{a}'],
    [varchar({ length: 20 }), char({ length: 3 }), 'abc', 'abc']
  ]
  const model = (which: 0 | 1) => ({ mood, t: pgTable('t', { id: id(), ...Object.fromEntries(cases.map((pair, index) => [`c${index}`, pair[which]])) }) })
  const kept = `select ${cases.map((_pair, index) => `c${index}::text`).join(', ')} from t order by id`
  const { there, back } = await roundTrip(t, {
    from: model(0),
    to: model(1),
    fill: `insert into t values (1, ${cases.map(([, , value]) => `'${value.replaceAll("'", "''")}'`).join(', ')}), (2${', null'.repeat(cases.length)})`,
    kept
  })
  for (const [index, [, , value, changed, returned = value]] of cases.entries()) {
    t.strictSame(
      [there, back].map((rows) => (rows as Array<Record<string, unknown>>).map((row) => row[`c${index}`])),
      [[changed, null], [returned, null]],
      `${value} is ${changed}`
    )
  }
})

t.test('single values and arrays of a recreated enum convert to each other and to other types', async (t) => {
  const enumeration = (...values: [string, ...string[]]) => pgEnum('mood', values)
  const values = (mood: ReturnType<typeof enumeration>) => ({
    one: mood(), many: mood().array(), word: mood(), words: mood().array(), number: mood(), all: mood().array()
  })
  const before = enumeration('sad', '5', 'glad')
  const after = enumeration('5', 'glad')
  const { there } = await roundTrip(t, {
    from: { mood: before, t: pgTable('t', { id: id(), ...values(before) }) },
    to: {
      mood: after,
      t: pgTable('t', { id: id(), one: after().array(), many: after(), word: text().array(), words: text(), number: integer(), all: text().array() })
    },
    fill: "insert into t values (1, 'glad', '{glad}', '5', '{5}', '5', '{5,NULL,glad}'); insert into t values (2)",
    kept: 'select one::text, many::text, word::text, words::text, number::text, "all"::text from t order by id'
  })
  t.strictSame(there, [
    { one: '{glad}', many: 'glad', word: '{5}', words: '5', number: '5', all: '{5,NULL,glad}' },
    { one: null, many: null, word: null, words: null, number: null, all: null }
  ])
})

t.test('a key that becomes uuid takes its foreign keys along, and numbers come back', async (t) => {
  const model = (type: () => ReturnType<typeof integer> | ReturnType<typeof uuid>) => {
    const users = pgTable('users', { id: type().primaryKey(), boss: type() }, (self) => [foreignKey({ columns: [self.boss], foreignColumns: [self.id] })])
    const posts = pgTable('posts', {
      id: integer().primaryKey(),
      author: type().notNull().references(() => users.id, { onDelete: 'cascade' }),
      editor: type().references(() => users.id)
    })
    return { users, posts }
  }
  const { there, irreversible } = await roundTrip(t, {
    from: model(() => integer()),
    to: model(() => uuid()),
    fill: 'insert into users values (7, null), (-8, 7); insert into posts values (1, -8, 7)',
    kept: 'select users.id::text, boss::text, posts.id as post from users left join posts on author = users.id order by users.id::text'
  })
  t.strictSame([there[0], irreversible], [{ id: '00000000-0000-0000-0000-000000000007', boss: null, post: null }, []])
})

t.test('an identity key that becomes uuid stays the key, and continues counting when it comes back', async (t) => {
  const model = (isNumber: boolean) => {
    const users = pgTable('users', { id: isNumber ? integer().primaryKey().generatedAlwaysAsIdentity() : uuid().primaryKey().defaultRandom() })
    return { users, posts: pgTable('posts', { id: id(), author: (isNumber ? integer() : uuid()).references(() => users.id as never) }) }
  }
  await roundTrip(t, {
    from: model(true),
    to: model(false),
    fill: 'insert into users default values; insert into users default values; insert into posts values (1, 2)',
    kept: 'select users.id, posts.id as post from users left join posts on author = users.id order by users.id',
    writes: 'insert into users default values'
  })
})

t.test('two foreign keys whose names agree in 63 bytes stay two', async (t) => {
  const long = 'a_table_with_a_name_that_is_rather_long_for_a_table'
  const model = (onDelete: 'cascade' | 'restrict') => {
    const target = pgTable(long, { id: id() })
    return {
      target,
      t: pgTable(`${long}_too`, {
        id: id(), firstColumn: integer('first').references(() => target.id), secondColumn: integer('second').references(() => target.id, { onDelete })
      })
    }
  }
  await roundTrip(t, { from: { t: model('cascade').target }, to: model('cascade'), fill: `insert into ${long} values (1)`, kept: `select * from ${long}` })
  await roundTrip(t, { from: model('cascade'), to: model('restrict') })
})

t.test('altered sequences keep their position, within their range', async (t) => {
  const model = (first: Parameters<typeof pgSequence>[1], second: Parameters<typeof pgSequence>[1], third: Parameters<typeof pgSequence>[1]) => ({
    s: pgSequence('s', first), s2: pgSequence('s2', second), s3: pgSchema('other').sequence('s3', third), other: pgSchema('other')
  })
  await roundTrip(t, {
    from: model({ cycle: true }, { startWith: 5, increment: 5 }, { maxValue: 100, cycle: true }),
    to: model({ cycle: false }, { startWith: 1, increment: 1, minValue: -10, cache: 3 }, { maxValue: 100, cache: 2 }),
    fill: "select nextval('s'), nextval('s'), nextval('s2'), nextval('s2')",
    kept: 'select s.last_value as s, s2.last_value as s2, s2.is_called, s3.last_value as s3, s3.is_called as called from s, s2, other.s3'
  })
})

t.test('policies may use dropped and added columns', async (t) => {
  const model = (column: string) => ({
    t: pgTable('t', { id: id(), [column]: text() }, () => [
      pgPolicy('own', { using: sql.raw(`${column} = 'x'`) }),
      pgPolicy('all', { for: 'select', using: sql`true` })
    ])
  })
  await roundTrip(t, { from: model('gone'), to: model('added'), fill: "insert into t values (1, 'a')", kept: 'select id from t' })
  await roundTrip(t, { from: model('gone'), to: { t: pgTable('t', { id: id() }) } })
})

t.test('columns become nullable or NOT NULL, and an enum gets an unused value', async (t) => {
  const model = (isLater: boolean) => {
    const mood = pgEnum('mood', isLater ? ['a', 'b', 'c'] : ['a', 'b'])
    return { mood, t: pgTable('t', { id: id(), mood: mood(), name: isLater ? text().notNull() : text(), note: isLater ? text() : text().notNull() }) }
  }
  const { up } = await roundTrip(t, {
    from: model(false),
    to: model(true),
    fill: "insert into t values (1, 'b', 'x', 'y')",
    kept: 'select * from t',
    next: "insert into t values (2, 'a', 'x', null)",
    former: "insert into t values (2, 'a', null, 'y')"
  })
  t.match(up, 'ALTER TYPE "mood" ADD VALUE \'c\';')
})

t.test('tables get a primary key of new columns', async (t) => {
  await roundTrip(t, {
    from: { places: pgTable('places', { code: text().notNull() }), single: pgTable('single', { n: integer() }) },
    to: {
      places: pgTable('places', { code: text().notNull(), part: integer().notNull().default(1) }, (self) => [primaryKey({ columns: [self.code, self.part] })]),
      single: pgTable('single', { n: integer(), id: integer().primaryKey().generatedAlwaysAsIdentity() })
    },
    fill: "insert into places values ('a'), ('b'); insert into single values (1), (1)",
    kept: 'select code, n from places, single order by 1, 2',
    writes: "insert into places (code) values ('c'); insert into single (n) values (1)"
  })
})

t.test('a new table refers to a key that its target gets in the same migration', async (t) => {
  const users = pgTable('users', { id: id(), email: text().unique() })
  await roundTrip(t, {
    from: { users: pgTable('users', { id: id(), email: text() }) },
    to: { users, logins: pgTable('logins', { id: id(), email: text().references(() => users.email) }) },
    fill: "insert into users values (1, 'a')",
    kept: 'select * from users',
    next: "insert into logins values (1, 'a')"
  })
})

const longTable = 'a_table_with_a_rather_long_name_whose_sequence_has_to_be_cut'

const columnKinds = {
  integer: () => integer().notNull(),
  bigint: () => bigint({ mode: 'number' }).notNull(),
  smallint: () => smallint().notNull(),
  serial: () => serial(),
  bigserial: () => bigserial({ mode: 'number' }),
  smallserial: () => smallserial(),
  always: () => integer().generatedAlwaysAsIdentity(),
  byDefault: () => bigint({ mode: 'number' }).generatedByDefaultAsIdentity({ startWith: 5, cache: 1, cycle: true }),
  named: () => integer().generatedAlwaysAsIdentity({ name: 'own_name', cache: 2 }),
  down: () => integer().generatedByDefaultAsIdentity({ increment: -1, startWith: -1 })
}

const pairs = [
  ['integer', 'byDefault'], ['integer', 'serial'], ['integer', 'down'], ['bigint', 'always'], ['serial', 'always'], ['byDefault', 'serial'],
  ['serial', 'bigserial'], ['serial', 'bigint'],
  ['smallserial', 'byDefault'], ['bigserial', 'integer'], ['always', 'byDefault'], ['always', 'named'], ['always', 'smallint'], ['down', 'integer'],
  ['serial', 'serial']
] as const

const isPlain = (kind: string) => /int/.test(kind)

t.test('serial and identity columns continue counting across every change of kind', async (t) => {
  const names = pairs.map(([from, to], index) => `${from}_${to}${index % 2 === 0 ? '' : `_${longTable}`}`.toLowerCase().slice(0, 60))
  const model = (which: 0 | 1) => Object.fromEntries(pairs.map((pair, index) => {
    // A column that does not change is in a table that does.
    const extra = which === 1 && pair[0] === pair[1] ? { more: text() } : {}
    return [`t${index}`, pgTable(names[index]!, { id: (columnKinds[pair[which]]() as ReturnType<typeof integer>).primaryKey(), name: text(), ...extra })]
  }))
  const fill = (which: 0 | 1, rows: string) => pairs.map((pair, index) => isPlain(pair[which])
    ? `insert into ${names[index]} values ${rows.split(' ').map((row) => `(${row}, 'a')`).join(', ')}`
    : `insert into ${names[index]} (name) values ${rows.split(' ').map(() => "('a')").join(', ')}`).join('; ')
  await roundTrip(t, {
    from: model(0),
    to: model(1),
    fill: fill(0, '1 2 30'),
    kept: names.map((name) => `select '${name}' as t, id::text, name from ${name}`).join(' union all ') + ' order by 1, 2',
    // Numbers in use are not assigned again.
    next: fill(1, '99 98'),
    former: fill(0, '99 98')
  })
})

t.test('the sequence of a new serial column has PostgreSQL\'s name for it, however long', async (t) => {
  const [long, wide] = ['a_column_with_a_rather_long_name_whose_sequence_has_to_be_cut', `${'é'.repeat(30)}x`] as const
  await roundTrip(t, {
    from: { t: pgTable('t', { id: integer().primaryKey(), [long]: integer().notNull(), [wide]: integer().notNull() }) },
    to: { t: pgTable('t', { id: integer().primaryKey(), [long]: serial(), [wide]: serial() }) },
    fill: 'insert into t values (1, 5, 6)',
    kept: 'select * from t order by id',
    next: 'insert into t (id) values (2)'
  })
})
