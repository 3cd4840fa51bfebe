import { getTableName, sql } from 'drizzle-orm'
import { PgDialect, integer, pgSchema, pgTable, primaryKey, text, unique } from 'drizzle-orm/pg-core'
import t from 'tap'
import { increment } from '../../../../src/repository/types/increment.js'
import { Aliases, literal, throughAlias } from '../../../../src/repository/table/aliases.js'
import { openRepositories } from '../../../helpers/runner.js'

/** Names that statements use themselves, keywords and types of PostgreSQL, and names with odd characters. */
const names = [
  'wanted', 'excluded', 'place', 'list', 'row', 'there', 'key_0', 'key_1', 'c0', 'c1', 'c2', 'unnest', 'old', 'new', 'select', 'order', 'user',
  'table', 'default',
  'path', 'point', 'text', 'date', 'json', 'name', 'interval', 'constructor', '__proto__', 'toString', 'WANTED', 'Excluded', 'wanted_1', 'there_1',
  'a"b', "it's", 'a.b', 'a\\b', ' ', '$1', 'ö', '名', 'x'.repeat(63)
]

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** A table of this name. `list` and `note` are the names of two of its columns. */
function tableOf (name: string, [list, note]: readonly [string, string]) {
  return pgTable(
    name,
    { id: integer().primaryKey(), list: text(list).array(), note: text(note), seen: integer(), part: integer().notNull() },
    (table) => [unique().on(table.part)]
  )
}

const tables = names.map((name, index) => {
  const others = names.filter((other) => other !== name)
  return tableOf(name, [String(others[index % others.length]), String(others[(index + 7) % others.length])])
})

const made = tables.map((table) => {
  const name = quoted(getTableName(table))
  const own = `${quoted(table.list.name)} text[], ${quoted(table.note.name)} text`
  return `create table ${name} (id integer primary key, ${own}, seen integer, part integer unique not null);`
}).join('\n')

const { repo, runner } = await openRepositories(t, `${made}
  create schema odd; create table odd.excluded (id integer primary key, seen integer);
  create table pairs (wanted integer, place integer, note text[], primary key (wanted, place));`)

for (const table of tables) {
  const name = getTableName(table)
  t.test(`a table ${JSON.stringify(name)} with columns ${JSON.stringify([table.list.name, table.note.name])} is ordinary`, async (t) => {
    const rows = Array.from({ length: 60 }, (_, n) => ({ id: n + 1, list: [`z${99 - n}`, 'it\'s'], note: `n${n}`, seen: n, part: n + 100 }))
    t.strictSame(await repo(table).createMany(rows), rows, 'in the order given')
    const ids = [7, 3, 60, 1]
    t.strictSame((await repo(table).getMany(ids)).map(({ id }) => id), ids)
    t.match(await repo(table).upsert({ id: 1, note: 'again', part: 100 }), { row: { id: 1, list: ['z99', 'it\'s'], note: 'again', seen: 0 }, created: false })
    t.match(await repo(table).upsert({ id: 61, part: 161 }), { row: { id: 61, note: null }, created: true })
    t.match(
      await repo(table).upsert({ id: 2, part: 101, seen: 50 }, { update: { seen: increment(5), note: sql`${table.note} || excluded.seen` } }),
      { row: { seen: 6, note: 'n150' }, created: false },
      'the changes apply to the existing row'
    )
    t.match(await repo(table).upsert({ id: 3, part: 102, seen: 50 }, { where: { seen: { gt: 1000 } } }), { row: { seen: 2 }, created: false })
    t.match(
      await repo(table).upsert({ id: 900, part: 103, note: 'by another key' }, { target: 'part', update: ['note'] }),
      { row: { id: 4, note: 'by another key' }, created: false }
    )
    const again = rows.map((row) => ({ ...row, seen: -1 }))
    t.strictSame(await repo(table).upsertMany([...again, { id: 62, list: null, note: null, seen: null, part: 999 }]), [
      ...again.map((row) => ({ row, created: false })), { row: { id: 62, list: null, note: null, seen: null, part: 999 }, created: true }
    ])
    t.match(await repo(table).getOrCreate({ id: 62 }, { part: 1 }), { row: { part: 999 }, created: false })
    t.match(await repo(table).getOrCreate({ id: 63 }, { part: 1 }), { created: true })
    t.match(await repo(table).update(63, { seen: increment(1), note: 'u' }), { note: 'u', seen: null })
    t.match(await repo(table).filter({ or: [{ note: 'u' }, { list: { arrayContains: ['z99'] } }] }, { orderBy: { note: 'desc' } }), [{ id: 63 }, { id: 1 }])
    const { items, next } = await repo(table).cursor({}, { orderBy: { list: 'asc', note: 'desc' }, limit: 5 })
    const { items: further } = await repo(table).cursor({}, { orderBy: { list: 'asc', note: 'desc' }, limit: 100, after: String(next) })
    t.equal(new Set([...items, ...further].map(({ id }) => id)).size, 63)
    t.match(await repo(table).paginate({ id: { lt: 4 } }, { orderBy: { seen: 'asc' }, limit: 2 }), { items: { length: 2 }, total: 3 })
    t.equal(await repo(table).updateMany({ id: { in: [1, 2] } }, { note: null }), 2)
    t.equal(await repo(table).count({ note: null }), 4)
    t.equal(await repo(table).deleteMany({ id: { gt: 60 } }), 3)
    t.match(await repo(table).deleteOrThrow(1), { id: 1 })
    t.equal(await repo(table).exists({ id: 1 }), false)
    let streamed = 0
    for await (const row of repo(table).stream({}, { orderBy: { note: 'asc' }, batchSize: 7 })) streamed += row.id > 0 ? 1 : 0
    t.equal(streamed, 59)
  })
}

t.test('a table "excluded" of a schema is ordinary', async (t) => {
  const excluded = pgSchema('odd').table('excluded', { id: integer().primaryKey(), seen: integer() })
  t.match(await repo(excluded).upsert({ id: 1, seen: 1 }), { created: true })
  t.match(
    await repo(excluded).upsert({ id: 1, seen: 9 }, { update: { seen: increment(1) }, where: sql`${excluded.seen} = ${1}` }),
    { row: { seen: 2 }, created: false }
  )
})

t.test('columns of a composite key may have the names that the list of values uses', async (t) => {
  const pairs = pgTable('pairs', { wanted: integer(), place: integer(), note: text().array() }, (table) => [
    primaryKey({ columns: [table.wanted, table.place] })
  ])
  await repo(pairs).createMany([{ wanted: 1, place: 9, note: [] }, { wanted: 2, place: 8, note: ['x'] }])
  t.match(await repo(pairs).getMany([{ wanted: 2, place: 8 }, { wanted: 1, place: 9 }]), [{ wanted: 2 }, { wanted: 1 }])
})

t.test('no alias equals a table or column of the statement, or another alias', async (t) => {
  const table = pgTable('list', { a: text('list_1'), b: text('place') })
  const aliases = new Aliases([table], { columnName: ({ name }) => name })
  t.strictSame(['list', 'list', 'place', 'other', 'a'].map((wanted) => aliases.textOf(wanted)), ['list_2', 'list_3', 'place_1', 'other', 'a'])
})

t.test('a table under an alias has only its own columns', async (t) => {
  const [one, other] = [pgTable('excluded', { n: integer() }), pgTable('other', { n: integer() })]
  const written = new PgDialect().sqlToQuery(throughAlias(
    sql`${one.n} + ${other.n} = ${sql`${one.n} + ${5}`} and ${sql`${one.n} < ${6}`.inlineParams()}`,
    one,
    'x'
  ))
  t.match(written, { sql: '"x"."n" + "other"."n" = "x"."n" + $1 and "x"."n" < 6', params: [5] })
})

t.test('a text in SQL means the same with any setting for backslashes', async (t) => {
  for (const setting of ['on', 'off']) {
    await runner.client.query(`set standard_conforming_strings = ${setting}`)
    for (const given of ["it's", 'a\\b', '\\\'']) {
      const { rows } = await runner.client.query<{ given: string }>(`select ${new PgDialect().sqlToQuery(literal(given)).sql} as given`)
      t.equal(rows[0]?.given, given)
    }
  }
  await runner.client.query('reset standard_conforming_strings')
})
