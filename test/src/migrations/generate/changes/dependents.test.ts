import { sql, type SQL } from 'drizzle-orm'
import {
  bigint, boolean, check, foreignKey, index, integer, pgEnum, pgMaterializedView, pgPolicy, pgTable, pgView, primaryKey, text, unique,
  uniqueIndex, varchar
} from 'drizzle-orm/pg-core'
import t from 'tap'
import { roundTrip } from '../round-trip.js'

const id = () => integer().primaryKey()
const raw = (text: string): SQL => sql.raw(text)

t.test('a generated column with a new expression keeps its dependents', async (t) => {
  const model = (expression: string) => {
    const users = pgTable('users', { id: id(), email: text().notNull(), key: text().generatedAlwaysAs(raw(expression)).unique().notNull() }, (self) => [
      index('key_index').on(self.key), index('key_part').on(self.id).where(raw("key <> 'x'")), uniqueIndex('key_lower').on(raw('upper(key)')),
      check('key_check', raw("key <> ''")), unique('pair').on(self.id, self.key), pgPolicy('own', { using: raw("key <> 'y'") }), pgPolicy(
        'add',
        { for: 'insert', withCheck: raw("key <> 'z'") }
      )
    ])
    const posts = pgTable('posts', { id: id(), author: text().references(() => users.key) })
    return { users, posts, keys: pgView('keys').as((q) => q.select({ key: users.key }).from(users)) }
  }
  const { irreversible } = await roundTrip(t, {
    from: model('lower(email)'),
    to: model('lower(trim(email))'),
    fill: "insert into users (id, email) values (1, 'A@x'), (2, 'B@x'); insert into posts values (1, 'a@x')",
    kept: 'select users.id, email, key, author from users left join posts on author = key order by 1',
    writes: "insert into users (id, email) values (7, 'C@x')"
  })
  t.strictSame(irreversible, [])
})

t.test('a generated column of a primary key stays part of the key', async (t) => {
  const model = (expression: string) => {
    const places = pgTable(
      'places',
      { code: text().notNull(), key: text().generatedAlwaysAs(raw(expression)) },
      (self) => [primaryKey({ columns: [self.code, self.key] })]
    )
    const visits = pgTable('visits', { id: id(), code: text(), key: text() }, (self) => [
      foreignKey({ columns: [self.code, self.key], foreignColumns: [places.code, places.key] })
    ])
    return {
      places,
      visits,
      single: pgTable('single', {
        n: integer(), key: integer().generatedAlwaysAs(raw(expression.replace('lower(code)', 'n * 2').replace('upper(code)', 'n * 3'))).primaryKey()
      })
    }
  }
  await roundTrip(t, {
    from: model('lower(code)'),
    to: model('upper(code)'),
    fill: "insert into places values ('a'); insert into single values (1), (2)",
    kept: 'select * from places, single order by n'
  })
})

t.test('values that a generated column replaces are listed as lost', async (t) => {
  const { irreversible } = await roundTrip(t, {
    from: { t: pgTable('t', { id: id(), x: integer(), y: integer().unique() }, () => [check('y_check', raw('y > 0'))]) },
    to: { t: pgTable('t', { id: id(), x: integer(), y: integer().generatedAlwaysAs(raw('x * 2')).unique() }, () => [check('y_check', raw('y > 0'))]) },
    fill: 'insert into t values (1, 2, 7)',
    kept: 'select id, x, y from t'
  })
  t.strictSame(irreversible, ['the values of t.y, which becomes a generated column'])
})

t.test('a generated column that becomes a plain one keeps its values', async (t) => {
  const { irreversible, there, down } = await roundTrip(t, {
    from: { t: pgTable('t', { id: id(), x: integer(), y: integer().generatedAlwaysAs(raw('x * 2')).unique() }) },
    to: { t: pgTable('t', { id: id(), x: integer(), y: bigint({ mode: 'number' }).unique() }) },
    fill: 'insert into t values (1, 2)',
    kept: 'select id, x, y::text from t'
  })
  t.match(down, '-- Replaces the values of t.y, which becomes a generated column again.')
  t.strictSame([irreversible, there], [[], [{ id: 1, x: 2, y: '4' }]])
})

t.test('the type of a column changes under its dependents', async (t) => {
  for (const [type, other] of [
    [() => integer(), () => bigint({ mode: 'number' })],
    [() => text(), () => varchar({ length: 20 })],
    [() => integer(), () => text()]
  ] as const) {
    const model = (column: typeof type | typeof other) => {
      const users = pgTable('users', {
        id: id(), n: (column() as ReturnType<typeof text>).unique(), twice: text().generatedAlwaysAs(raw("n || ''"))
      }, (self) => [
        index('n_part').on(self.id).where(raw('n is not null')), index('n_expression').on(raw("(n || '')")),
        check('n_check', raw("n::text <> '99'")), pgPolicy('own', { using: raw("n::text = '1'") })
      ])
      const posts = pgTable(
        'posts',
        { id: id(), n: (column() as ReturnType<typeof text>).references(() => users.n) },
        () => [pgPolicy('theirs', { using: raw('exists (select from users where users.n = posts.n)') })]
      )
      const first = pgView('first').as((q) => q.select().from(users))
      const second = pgView('a_second').as((q) => q.select({ id: first.id }).from(first))
      return { users, posts, first, second, stored: pgMaterializedView('stored').as((q) => q.select({ n: users.n }).from(users)) }
    }
    await roundTrip(t, {
      from: model(type),
      to: model(other),
      fill: "insert into users (id, n) values (1, '5'), (2, null); insert into posts values (1, '5')",
      kept: 'select id, n::text, twice from first order by 1'
    })
  }
})

t.test('an enum that loses a value is recreated under its dependents', async (t) => {
  for (const [before, after] of [[['a', 'b', 'c'], ['b', 'a']], [['a', 'b', "it's"], ['a', 'b', "it's", 'd']], [['a', 'b'], ['z', 'a', "y's", 'b']]] as const) {
    const model = (values: readonly string[]) => {
      const mood = pgEnum('mood', values as [string, ...string[]])
      const last = values.at(-1)!
      const users = pgTable('users', {
        id: id(), mood: mood().default(last), moods: mood().array().default([last]), is: boolean().generatedAlwaysAs(raw("mood = 'a'"))
      }, (self) => [
        index('mood_index').on(self.mood), index('mood_part').on(self.id).where(raw("mood = 'b'")), check(
          'mood_check',
          raw("mood <> 'b' or id > 0")
        ), pgPolicy('own', { using: raw("mood = 'a'") })
      ])
      return { mood, users, seen: pgView('seen').as((q) => q.select({ mood: users.mood }).from(users)) }
    }
    await roundTrip(t, {
      from: model(before),
      to: model(after),
      fill: "insert into users (id, mood, moods) values (1, 'a', '{a,b}'), (2, null, null)",
      kept: 'select id, mood, moods::text, "is" from users order by 1',
      writes: 'insert into users (id) values (7)'
    })
  }
})

t.test('no new enum value is used in its own transaction, as drizzle-kit migrate needs', async (t) => {
  const model = (...values: [string, ...string[]]) => ({
    mood: pgEnum('mood', values), users: pgTable('users', { id: id(), mood: pgEnum('mood', values)().default(values.at(-1)!) })
  })
  const { up } = await roundTrip(t, {
    from: model('a', 'b'),
    to: model('a', 'b', 'c'),
    fill: "insert into users values (1, 'a'); insert into users (id) values (2)",
    kept: 'select * from users order by 1'
  })
  t.notMatch(up, /ADD VALUE|no-transaction/)
})

t.test('a view with a star has the new columns of its table', async (t) => {
  const model = (columns: Record<string, ReturnType<typeof text>>) => ({
    users: pgTable('users', { id: id(), name: text(), ...columns }), everyone: pgView('everyone', { id: integer() }).as(raw('select * from users'))
  })
  const { there } = await roundTrip(t, {
    from: model({}), to: model({ more: text().default('much') }), fill: "insert into users values (1, 'a')", kept: 'select * from everyone'
  })
  t.strictSame(there, [{ id: 1, name: 'a', more: 'much' }])
})
