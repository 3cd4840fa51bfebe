import t from 'tap'
import { sql } from 'drizzle-orm'
import { createTestDatabase, expectNoLeaks } from '../../../src/testing/index.js'
import { each, missing, optional, options, refuses, takes } from '../../helpers/misuse.js'
import { notes, notesTable } from '../../helpers/notes.js'
import { increment, JsonRepository, JsonText, RelatedRepository, Repository } from '../../../src/index.js'

const { database } = await createTestDatabase(t, { sql: notesTable, schema: { notes } })
const repo = database.repo(notes)
const related = repo.with({} as never) // no relation is declared
const json = repo.json()
const title = { title: 'a' }
await repo.createMany([title, { title: 'b' }])

const drain = async (rows: AsyncIterable<unknown>): Promise<void> => { for await (const row of rows) t.type(row, 'object') }

const rows = {
  'get(_)': takes((x) => repo.get(x), '0', 'bigint'),
  'get(1, _)': takes((x) => repo.get(1, x), ...options),
  'getOrThrow(_)': takes((x) => repo.getOrThrow(x)),
  'getBy(_)': takes((x) => repo.getBy(x)),
  'getBy(filter, _)': takes((x) => repo.getBy(title, x), ...options),
  'getByOrThrow(_)': takes((x) => repo.getByOrThrow(x)),
  'getMany(_)': takes((x) => repo.getMany(x), '[]'),
  'getMany([_])': takes((x) => repo.getMany([x]), '0', 'bigint'),
  'getAll(_)': takes((x) => repo.getAll(x), ...options),
  'filter(_)': takes((x) => repo.filter(x), ...options),
  'filter({}, _)': takes((x) => repo.filter({}, x), ...options),
  'first(_)': takes((x) => repo.first(x), ...options),
  'first({}, _)': takes((x) => repo.first({}, x), ...options),
  'paginate(_)': takes((x) => repo.paginate(x), ...options),
  'paginate({}, _)': takes((x) => repo.paginate({}, x), ...options),
  'cursor(_)': takes((x) => repo.cursor(x), ...options),
  'cursor({}, _)': takes((x) => repo.cursor({}, x), ...options),
  'stream(_)': takes((x) => drain(repo.stream(x)), ...options),
  'stream({}, _)': takes((x) => drain(repo.stream({}, x)), ...options),
  'count(_)': takes((x) => repo.count(x), ...options),
  'exists(_)': takes((x) => repo.exists(x), ...options),
  ...each(['sum', 'avg'], (name) => `${name}(_)`, (name) => takes((x) => repo[name](x), 'name')),
  ...each(['sum', 'avg'], (name) => `${name}('size', _)`, (name) => takes((x) => repo[name]('size', x), ...options)),
  ...each(['min', 'max'], (name) => `${name}(_)`, (name) => takes((x) => repo[name](x), 'name')),
  ...each(['min', 'max'], (name) => `${name}('size', _)`, (name) => takes((x) => repo[name]('size', x), ...options)),
  'create(_)': takes((x) => repo.create(x)),
  'createMany(_)': takes((x) => repo.createMany(x), '[]'),
  'createMany([_])': takes((x) => repo.createMany([x])),
  'createMany([], _)': takes((x) => repo.createMany([], x), ...options, 'null'),
  'createMany([], { returning: _ })': takes((x) => repo.createMany([], { returning: x }), ...optional, 'false'),
  'upsert(_)': takes((x) => repo.upsert(x)),
  'upsert(values, _)': takes((x) => repo.upsert({ title: 'z' }, x)),
  'upsertMany(_)': takes((x) => repo.upsertMany(x), '[]'),
  'upsertMany([_])': takes((x) => repo.upsertMany([x])),
  'upsertMany(rows, _)': takes((x) => repo.upsertMany([{ title: 'z' }], x)),
  'getOrCreate(_)': takes((x) => repo.getOrCreate(x)),
  'getOrCreate(filter, _)': takes((x) => repo.getOrCreate({ title: 'a' }, x), ...options),
  'update(_)': takes((x) => repo.update(x, { size: 1 }), '0', 'bigint'),
  'update(404, _)': takes((x) => repo.update(404, x), '{}', 'blank'),
  'update(0, {}, _)': takes((x) => repo.update(0, { size: 1 }, x), ...options),
  'updateOrThrow(_)': takes((x) => repo.updateOrThrow(x, { size: 1 })),
  'updateOrThrow(404, _)': takes((x) => repo.updateOrThrow(404, x)),
  'updateMany(_)': takes((x) => repo.updateMany(x, { size: 1 })),
  'updateMany(filter, _)': takes((x) => repo.updateMany({ title: 'none' }, x), '{}', 'blank'),
  'updateMany({}, values, _)': takes((x) => repo.updateMany({}, { size: 1 }, x)),
  'delete(_)': takes((x) => repo.delete(x), '0', 'bigint'),
  'deleteOrThrow(_)': takes((x) => repo.deleteOrThrow(x)),
  'deleteMany(_)': takes((x) => repo.deleteMany(x)),
  'deleteMany({}, _)': takes((x) => repo.deleteMany({}, x)),
  'softDelete(_)': takes((x) => repo.softDelete(x), '0', 'bigint'),
  'softDeleteOrThrow(_)': takes((x) => repo.softDeleteOrThrow(x)),
  'restoreOrThrow(_)': takes((x) => repo.restoreOrThrow(x)),
  'restore(_)': takes((x) => repo.restore(x), '0', 'bigint'),
  'purge(_)': takes((x) => repo.purge(x)),
  'writable(_)': takes((x) => repo.writable(x), '[]'),
  'writable([], _)': takes((x) => repo.writable(['title'], x), ...options),
  'with(_)': takes((x) => repo.with(x).getAll(), '{}', 'blank'),
  'json(_)': takes((x) => repo.json(x), 'undefined'),
  'json({ properties: _ })': takes((x) => repo.json({ properties: x })),
  'json({ properties: { title: _ } })': takes((x) => repo.json({ properties: { title: x } }), '{}', 'blank', 'strange', 'schema'),
  'get(1, { lock: { nowait: _ } })': takes((x) => repo.get(1, { lock: { strength: 'update', nowait: x } }), ...optional, 'false'),
  'get(1, { lock: { skipLocked: _ } })': takes((x) => repo.get(1, { lock: { strength: 'update', skipLocked: x } }), ...optional, 'false'),
  'execute(_)': takes((x) => repo.execute(x)),
  'increment(_)': takes((x) => repo.update(404, { size: increment(x) }), '0', 'bigint'),
  'Repository.of(_)': takes((x) => database.repo(Repository.of(x)), 'table'),
  'Repository.of(table, _)': takes((x) => database.repo(Repository.of(notes, x)), ...options),
  'Repository.of(table, { writable: _ })': takes((x) => database.repo(Repository.of(notes, { writable: x })), ...optional, '[]'),
  'new Repository(_)': takes((x) => new Repository(x)),
  'get(1, { columns: _ })': takes((x) => repo.get(1, { columns: x }), ...optional),
  'get(1, { lock: _ })': takes((x) => repo.get(1, { lock: x }), ...optional),
  'filter({}, { limit: _ })': takes((x) => repo.filter({}, { limit: x }), ...optional, '0'),
  'filter({}, { skip: _ })': takes((x) => repo.filter({}, { skip: x }), ...optional, '0'),
  'filter({}, { orderBy: _ })': takes((x) => repo.filter({}, { orderBy: x }), ...options, '[]'),
  'filter({}, { orderBy: { id: _ } })': takes((x) => repo.filter({}, { orderBy: { id: x } })),
  'filter({}, { orderBy: { id: { direction: _ } } })': takes((x) => repo.filter({}, { orderBy: { id: { direction: x } } })),
  'filter({}, { orderBy: { id: { nulls: _ } } })': takes((x) => repo.filter({}, { orderBy: { id: { direction: 'asc', nulls: x } } }), ...optional),
  'paginate({}, { page: _ })': takes((x) => repo.paginate({}, { page: x }), ...optional),
  'cursor({}, { after: _ })': takes((x) => repo.cursor({}, { after: x }), ...optional),
  'cursor({}, { before: _ })': takes((x) => repo.cursor({}, { before: x }), ...optional),
  'stream({}, { batchSize: _ })': takes((x) => drain(repo.stream({}, { batchSize: x })), ...optional),
  'filter({ title: _ })': takes((x) => repo.filter({ title: x }), 'null', "''", 'text'),
  'filter({ size: _ })': takes((x) => repo.filter({ size: x }), '0', 'null', 'bigint'),
  'filter({ and: _ })': takes((x) => repo.filter({ and: x }), '[]'),
  'filter({ or: [_] })': takes((x) => repo.filter({ or: [x] }), '{}', 'blank'),
  'filter({ not: _ })': takes((x) => repo.filter({ not: x }), '{}', 'blank'),
  ...each(['eq', 'ne'], (operator) => `filter({ title: { ${operator}: _ } })`, (operator) => takes(
    (x) => repo.filter({ title: { [operator]: x } }),
    'null',
    "''",
    'text'
  )),
  ...each(['lt', 'like', 'contains'], (operator) => `filter({ title: { ${operator}: _ } })`, (operator) => takes(
    (x) => repo.filter({ title: { [operator]: x } }),
    "''",
    'text'
  )),
  ...each(['in', 'notIn'], (operator) => `filter({ title: { ${operator}: _ } })`, (operator) => takes((x) => repo.filter({ title: { [operator]: x } }), '[]')),
  'filter({ title: { between: _ } })': takes((x) => repo.filter({ title: { between: x } })),
  'filter({ title: { isNull: _ } })': takes((x) => repo.filter({ title: { isNull: x } }), 'false'),
  'create({ title: _ })': takes((x) => repo.create({ title: x })),
  'update(404, { title: _ })': takes((x) => repo.update(404, { title: x }), ...optional, 'null', "''", 'text'),
  'update(404, { size: _ })': takes((x) => repo.update(404, { size: x }), ...optional, '0', 'null', 'bigint'),
  'update(404, values, { expectedVersion: _ })': takes((x) => repo.update(404, { size: 1 }, { expectedVersion: x }), '0'),
  'upsert(values, { target: _ })': takes((x) => repo.upsert({ title: 'z' }, { target: x }), 'name'),
  'upsert(values, { target, update: _ })': takes((x) => repo.upsert({ title: 'z' }, { target: 'title', update: x })),
  'upsert(values, { target, where: _ })': takes((x) => repo.upsert({ title: 'z' }, { target: 'title', where: x })),
  'purge({ olderThan: _ })': takes((x) => repo.purge({ olderThan: x }), '0', 'date'),
  'updateMany({}, values, { all: _ })': takes((x) => repo.updateMany({}, { size: 1 }, { all: x })),
  'deleteMany({}, { all: _ })': takes((x) => repo.deleteMany({}, { all: x })),
  'database.repo(_)': takes((x) => database.repo(x), 'table'),
  'database.execute(_)': takes((x) => database.execute(x)),
}

const relatedRows = {
  'get(_)': takes((x) => related.get(x), '0', 'bigint'),
  'get(1, _)': takes((x) => related.get(1, x), ...options),
  'getOrThrow(_)': takes((x) => related.getOrThrow(x)),
  'getBy(_)': takes((x) => related.getBy(x)),
  'getByOrThrow(_)': takes((x) => related.getByOrThrow(x)),
  'getMany(_)': takes((x) => related.getMany(x), '[]'),
  'getAll(_)': takes((x) => related.getAll(x), ...options),
  'filter(_)': takes((x) => related.filter(x), ...options),
  'filter({}, _)': takes((x) => related.filter({}, x), ...options),
  'first(_)': takes((x) => related.first(x), ...options),
  'first({}, _)': takes((x) => related.first({}, x), ...options),
  'paginate(_)': takes((x) => related.paginate(x), ...options),
  'paginate({}, _)': takes((x) => related.paginate({}, x), ...options),
  'cursor(_)': takes((x) => related.cursor(x), ...options),
  'cursor({}, _)': takes((x) => related.cursor({}, x), ...options),
  'get(1, { columns: _ })': takes((x) => related.get(1, { columns: x }), ...optional),
  'json()': takes(() => related.json()),
  'new RelatedRepository(_)': takes((x) => new RelatedRepository(x))
}

const jsonRows = {
  'get(_)': takes((x) => json.get(x), '0', 'bigint'),
  'get(1, _)': takes((x) => json.get(1, x), ...options),
  'getOrThrow(_)': takes((x) => json.getOrThrow(x)),
  'getBy(_)': takes((x) => json.getBy(x)),
  'getByOrThrow(_)': takes((x) => json.getByOrThrow(x)),
  'getMany(_)': takes((x) => json.getMany(x), '[]'),
  'getAll(_)': takes((x) => json.getAll(x), ...options),
  'getAll({ columns: _ })': takes((x) => json.getAll({ columns: x } as never), 'undefined'),
  'filter(_)': takes((x) => json.filter(x), ...options),
  'filter({}, _)': takes((x) => json.filter({}, x), ...options),
  'first(_)': takes((x) => json.first(x), ...options),
  'first({}, _)': takes((x) => json.first({}, x), ...options),
  'paginate(_)': takes((x) => json.paginate(x), ...options),
  'paginate({}, _)': takes((x) => json.paginate({}, x), ...options),
  'cursor(_)': takes((x) => json.cursor(x), ...options),
  'cursor({}, _)': takes((x) => json.cursor({}, x), ...options),
  'new JsonText(_)': takes((x) => new JsonText(x), "''", 'text'),
  'new JsonRepository(_)': takes((x) => new JsonRepository(x, {} as never))
}

const stored = async (): Promise<unknown> => (await database.execute(sql`select id, title, size, "deletedAt", version from notes order by id`)).rows
const before = await stored()

t.test('every method of a repository explains a bad argument, and stores nothing', async (t) => {
  await refuses(t, rows, async (t, title) => t.strictSame(await stored(), before, `${title} stores nothing`))
  t.strictSame(missing(methodsOf(Repository), rows), [], 'every method has a row')
})

t.test('every method that reads related rows explains a bad argument', async (t) => {
  await refuses(t, relatedRows)
  t.strictSame(missing(methodsOf(RelatedRepository), relatedRows), [], 'every method has a row')
})

t.test('every method that reads rows as JSON explains a bad argument', async (t) => {
  await refuses(t, jsonRows)
  t.strictSame(missing(methodsOf(JsonRepository), jsonRows), [], 'every method has a row')
})

t.test('no refusal keeps a connection', () => expectNoLeaks(database))

/** The methods of a class that take arguments. */
function methodsOf (Class: { readonly prototype: object }): string[] {
  const takeNothing = ['constructor', 'withDeleted', 'onlyDeleted', 'unrestricted']
  const hooks = ['beforeCreate', 'beforeUpdate', 'beforeDelete', 'afterCreate', 'afterUpdate', 'afterDelete'] // called by the package
  return Object.getOwnPropertyNames(Class.prototype).filter((name) => ![...takeNothing, ...hooks].includes(name))
}
