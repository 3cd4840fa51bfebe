import { sql } from 'drizzle-orm'
import { integer, jsonb, pgTable, text } from 'drizzle-orm/pg-core'
import t from 'tap'
import { ValidationError } from '../../../../src/errors/errors.js'
import { listQuery } from '../../../../src/repository/list-query/list-query.js'
import { openRepositories } from '../../../helpers/runner.js'

const words = pgTable('words', { id: integer().primaryKey(), and: text(), or: integer(), not: text(), eq: text() })
const others = pgTable('others', { id: integer().primaryKey(), and: text().array(), or: jsonb().$type<string[]>(), not: text().array().unique() })
const single = pgTable('single', { not: text().primaryKey(), and: text() })

const { repo } = await openRepositories(t, `
  create table words (id integer primary key, "and" text, "or" integer, "not" text, eq text);
  insert into words values (1, 'a', 10, 'x', 'p'), (2, 'b', 20, 'y', 'q'), (3, null, null, null, null);
  create table others (id integer primary key, "and" text[], "or" jsonb, "not" text[] unique);
  insert into others values (1, '{a}', '["a"]', '{x}'), (2, '{b}', '["b"]', '{y}');
  create table single ("not" text primary key, "and" text);`)

async function ids (filter: object): Promise<number[]> {
  return (await repo(words).filter(filter as never)).map(({ id }) => id)
}

t.test('columns called and, or, not are filtered as any other', async (t) => {
  t.strictSame(await ids({ and: 'a' }), [1])
  t.strictSame(await ids({ and: null, or: null, not: null }), [3])
  t.strictSame(await ids({ or: 20 }), [2])
  t.strictSame(await ids({ or: { gte: 10, lt: 20 }, and: { in: ['a', 'b'] } }), [1])
  t.strictSame(await ids({ not: 'x' }), [1])
  t.strictSame(await ids({ not: { contains: 'y' } }), [2])
  t.strictSame(await ids({ not: { isNull: true } }), [3])
  t.strictSame(await ids({ and: { ne: null } }), [1, 2])
})

t.test('beside them filters are joined and negated as ever', async (t) => {
  t.strictSame(await ids({ and: [{ and: 'a' }, { or: 10 }] }), [1])
  t.strictSame(await ids({ or: [{ or: 20 }, { and: null }, sql`false`] }), [2, 3])
  t.strictSame(await ids({ or: [] }), [])
  t.strictSame(await ids({ and: [] }), [1, 2, 3])
  t.strictSame(await ids({ not: { id: 1 } }), [2, 3])
  t.strictSame(await ids({ not: { not: 'x' } }), [2])
  t.strictSame(await ids({ not: { and: 'a', or: 10 } }), [2])
  t.strictSame(await ids({ not: sql`id = 1` }), [2, 3])
  t.strictSame(await ids({ not: {} }), [])
})

t.test('an object of operators is the column\'s, a list behind not is negated, so that no filter means two things', async (t) => {
  t.strictSame(await ids({ not: { eq: 'x' } }), [1], 'the column "not", not the negation of the column "eq"')
  t.strictSame(await ids({ not: [{ eq: 'p' }] }), [2])
  t.strictSame(await ids({ not: [{ eq: 'p' }, { and: 'a' }] }), [2], 'what is negated is all of them together')
  t.strictSame(await ids({ not: [] }), [])
  t.strictSame((await repo(others).filter({ and: { eq: ['a'] }, or: { jsonContains: ['a'] }, not: { arrayContains: ['x'] } })).map(({ id }) => id), [1])
  await t.rejects(repo(others).filter({ and: ['a'] } as never), ValidationError)
  await t.rejects(repo(others).filter({ not: ['x'] } as never), ValidationError)
  await t.rejects(ids({ and: {} }), /names no operator/)
  await t.rejects(ids({ and: { nope: 1 } }), /unknown operator "nope"/)
  await t.rejects(ids({ not: { eq: 'x', nope: 1 } }), /Unknown column "nope"/)
  await t.rejects(ids({ not: undefined }), ValidationError)
  await t.rejects(ids({ or: [undefined] }), ValidationError)
  await t.rejects(repo(others).filter({ not: { eq: undefined } } as never), ValidationError)
})

t.test('a list endpoint, getOrCreate() and conditions of writes know them, too', async (t) => {
  const list = listQuery(words, { filterable: ['and', 'or', 'not', 'eq'], sortable: ['not'], searchable: ['and', 'not'] })
  t.match(await repo(words).filter(...list.filter({ and: 'a', 'or[gte]': '10', 'not[in]': 'x,y', eq: 'p' })), [{ id: 1 }])
  t.match(await repo(words).cursor(...list.cursor({ search: 'Y', sort: '-not' })), { items: [{ id: 2 }] })
  t.match(await repo(single).getOrCreate({ not: 'n', and: 'm' }), { row: { not: 'n', and: 'm' }, created: true })
  t.match(await repo(single).getOrCreate({ not: { eq: 'n' } }, { and: 'other' }), { row: { and: 'm' }, created: false })
  await t.rejects(repo(single).getOrCreate({ not: [{ not: 'n' }] } as never, { not: 'z' } as never), ValidationError)
  t.match(await repo(single).upsert({ not: 'n', and: 'k' }, { where: { and: 'm', not: { ne: 'z' } } }), { row: { and: 'k' }, created: false })
  t.equal(await repo(single).updateMany({ not: 'n' }, { and: 'l' }), 1)
  t.equal(await repo(single).deleteMany({ and: { startsWith: 'l' } }), 1)
})
