import fc from 'fast-check'
import { sql } from 'drizzle-orm'
import { customType, geometry, integer, pgTable, text, json, jsonb } from 'drizzle-orm/pg-core'
import t from 'tap'
import pg from 'pg'
import { escaped, readArray, writeArray } from '../../../src/values/array-text.js'
import { readerOf, writerOf } from '../../../src/values/driver-values.js'
import { elementTypes } from '../../../src/values/element-types.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { isDrizzle1 } from '../../helpers/drizzle.js'
import { createDatabase15 } from '../../helpers/postgres-15.js'
import { openRepositories } from '../../helpers/runner.js'

t.setTimeout(600_000)

const texts = { delimiter: ',', read: undefined }
const words = fc.oneof(
  fc.constantFrom('', 'NULL', 'null', '"', '\\', '{', '}', ',', ';', ' ', '[1:1]={1}', '\\"'),
  fc.string().filter((text) => !/[\0\p{Surrogate}]/u.test(text))
)

for (const [server, create] of Object.entries({ 'PostgreSQL 18': createTestDatabase, 'PostgreSQL 15': createDatabase15 })) {
  t.test(`reads every text and NULL that ${server} writes, and writes what it reads`, async (t) => {
    const { database } = await create(t)
    await fc.assert(fc.asyncProperty(fc.array(fc.option(words), { maxLength: 6 }), async (items) => {
      const written = writeArray(items, { delimiter: ',', depth: 1, write: String })
      const elements = sql.join(items.map((item) => sql`${item}::text`), sql`, `)
      const array = items.length === 0 ? sql`'{}'` : sql`array[${elements}]`
      const { rows: [row] } = await database.execute<{ written: string, made: string }>(
        sql`select ${written}::text[]::text as written, ${array}::text as made`
      )
      t.equal(row?.written, row?.made)
      t.strictSame(readArray(String(row?.made), texts), items)
    }), { numRuns: 200 })
  })

  t.test(`has the element type of every built-in array type of ${server}`, async (t) => {
    const { database } = await create(t)
    const { rows } = await database.execute<{ oid: number, element: number }>(sql`select a.oid::int as oid, e.oid::int as element from pg_type a join pg_type e on a.typelem = e.oid and e.typarray = a.oid
      where a.oid < 10000 and e.typtype in ('b', 'r', 'm')`)
    t.ok(rows.length > 60)
    t.strictSame(rows.filter(({ oid, element }) => elementTypes.get(oid) !== element), [])
  })
}

t.test('reads arrays of arrays, with any lower bound', (t) => {
  const numbers = { delimiter: ',', read: Number }
  t.strictSame(readArray('{}', numbers), [])
  t.strictSame(readArray('{{1,NULL},{3,4}}', numbers), [[1, null], [3, 4]])
  t.strictSame(readArray('[0:1]={1,2}', numbers), [1, 2])
  t.strictSame(readArray('[-1:0][2:3]={{1,2},{3,4}}', numbers), [[1, 2], [3, 4]])
  t.strictSame(readArray('{(2,2),(1,1);NULL}', { delimiter: ';', read: undefined }), ['(2,2),(1,1)', null])
  t.strictSame(readArray('{"NULL",NULL,"a\\\\b\\"c"}', texts), ['NULL', null, 'a\\b"c'])
  t.equal(escaped('a\\b"c'), 'a\\\\b\\"c')
  t.end()
})

t.test('refuses a text that is not an array, or is cut short', (t) => {
  for (const text of ['', '1 2', 'hello', '{', '{1', '{1,', '{"a', '{"a"x}', '{{1}', '{"a\\']) {
    t.throws(
      () => readArray(text, texts),
      { message: /declared as an array/ },
      text
    )
  }
  t.end()
})

t.test('refuses an element that has no text of its own', async (t) => {
  const odd = customType<{ data: unknown }>({ dataType: () => 'text', toDriver: (value) => value })
  const things = pgTable('things', { id: integer().primaryKey(), odd: odd().array(), places: geometry().array(), names: text().array() })
  const { repo } = await openRepositories(t, 'create table things (id integer primary key, odd text[], places text, names text[])')
  for (const element of [undefined, Buffer.from('x'), sql`now()`]) {
    await t.rejects(repo(things).create({ id: 1, odd: [element] } as never), { code: 'DB_VALIDATION', context: { columns: ['odd'] } })
  }
  t.match(await repo(things).create({ id: 1, odd: [1n, 2, true, { a: 1 }, null] }), { odd: ['1', '2', 'true', '{"a":1}', null] })
  t.equal(writerOf(things.places)([[1, 2], null]), '{"point(1 2)":NULL}', 'PostGIS has colons between its geometries')
  await t.rejects(repo(things).create({ id: 2, names: [['nested']] } as never), { code: 'DB_VALIDATION' })
})

// In 1.0, the methods of a column convert elements.
if (!isDrizzle1) {
  t.test("uses an array column's own mapping if it has one", (t) => {
    const { own } = pgTable('owns', { own: integer().array() })
    own.mapFromDriverValue = () => ['its own']
    own.mapToDriverValue = () => 'its own'
    t.strictSame(readerOf(own, 0)?.('{1}'), ['its own'])
    t.equal(writerOf(own)([1]), 'its own')
    t.end()
  })
}

const papers = pgTable('papers', { id: integer().primaryKey(), a: json(), b: jsonb(), many: jsonb().array() })
const ddl = 'create table papers (id integer primary key, a json, b jsonb, many jsonb[])'

t.test('a string in json stays a string, whatever it looks like', async (t) => {
  const { repo } = await openRepositories(t, ddl)
  const strings = ['10.50', 'true', 'null', '{"a":1}', '"', '']
  const rows = await repo(papers).createMany(strings.map((text, id) => ({ id, a: text, b: text, many: [text, null] })))
  t.strictSame(rows.map(({ a, b, many }) => [a, b, many]), strings.map((text) => [text, text, [text, null]]))
})

t.test("null is SQL's NULL; JSON's null is written as SQL, and read as null", async (t) => {
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

t.test("a user's parser in pg replaces ours, and a text that it returns is parsed once", async (t) => {
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

t.test('a json column over another type is read as Drizzle reads it', async (t) => {
  const { repo } = await openRepositories(
    t,
    "create table papers (id integer primary key, a text, b text, many text[]); insert into papers values (1, '{\"a\":1}', 'plain', '{\"[1]\"}')"
  )
  t.strictSame(await repo(papers).get(1), { id: 1, a: { a: 1 }, b: 'plain', many: [[1]] })
})
