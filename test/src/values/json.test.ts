import { json, jsonb, integer, pgTable } from 'drizzle-orm/pg-core'
import { sql } from 'drizzle-orm'
import pg from 'pg'
import t from 'tap'
import { openRepositories } from '../../helpers/runner.js'

const papers = pgTable('papers', { id: integer().primaryKey(), a: json(), b: jsonb(), many: jsonb().array() })
const ddl = 'create table papers (id integer primary key, a json, b jsonb, many jsonb[])'

t.test('a string in json stays one, whatever it looks like', async (t) => {
  const { repo } = await openRepositories(t, ddl)
  const strings = ['10.50', 'true', 'null', '{"a":1}', '"', '']
  const rows = await repo(papers).createMany(strings.map((text, id) => ({ id, a: text, b: text, many: [text, null] })))
  t.strictSame(rows.map(({ a, b, many }) => [a, b, many]), strings.map((text) => [text, text, [text, null]]))
})

t.test('null is SQL\'s NULL; the null of JSON is written as SQL, and read as null', async (t) => {
  const { repo, runner } = await openRepositories(t, ddl)
  await repo(papers).create({ id: 1, a: null, b: null })
  t.strictSame(
    await repo(papers).create({ id: 2, a: sql`'null'::json`, b: sql`'null'::jsonb`, many: sql`array['null'::jsonb]` }),
    { id: 2, a: null, b: null, many: [null] }
  )
  t.strictSame(
    (await runner.client.query('select id, a is null as a, b::text as b from papers order by id')).rows,
    [{ id: 1, a: true, b: null }, { id: 2, a: false, b: 'null' }]
  )
  t.strictSame((await repo(papers).filter({ b: { isNull: true } })).map(({ id }) => id), [1])
})

t.test('a parser that the program gave to pg has the only word: what it leaves as text is parsed once', async (t) => {
  const { repo } = await openRepositories(t, ddl)
  await repo(papers).create({ id: 1, b: '{"a":1}', many: ['7'] })
  const { getTypeParser, setTypeParser, builtins } = pg.types
  const usual = getTypeParser(builtins.JSONB, 'text')
  t.teardown(() => setTypeParser(builtins.JSONB, usual))
  setTypeParser(builtins.JSONB, (text) => text)
  t.match(await repo(papers).getBy({ id: 1 }), { b: '{"a":1}', many: ['7'] })
  setTypeParser(builtins.JSONB, (text) => ({ own: text }))
  t.match(await repo(papers).first({ id: 1 }), { b: { own: '"{\\"a\\":1}"' }, many: [{ own: '"7"' }] })
})

t.test('a column that is declared as json over another type is read as Drizzle reads it', async (t) => {
  const { repo } = await openRepositories(
    t,
    "create table papers (id integer primary key, a text, b text, many text[]); insert into papers values (1, '{\"a\":1}', 'plain', '{\"[1]\"}')"
  )
  t.strictSame(await repo(papers).get(1), { id: 1, a: { a: 1 }, b: 'plain', many: [[1]] })
})
