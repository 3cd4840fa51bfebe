/** Writing SQL costs more than running it, so every call of a repository writes its SQL only the first time. */
import { SQL, sql } from 'drizzle-orm'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import t from 'tap'
import { softDelete, timestamps, version } from '../../../src/model/columns.js'
import { plusOne } from '../../../src/drizzle/constant-sql.js'
import { uniqueLive } from '../../../src/model/unique-live.js'
import { SqlBuilder } from '../../../src/repository/table/table-statements.js'
import { open } from '../../helpers/database.js'
import { isDrizzle1 } from '../../helpers/drizzle.js'

const limits = { defaultLimit: 100, maxLimit: 1000 }

const documents = pgTable('documents', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  slug: text().notNull(),
  body: text().notNull().default(''),
  ...timestamps(),
  ...softDelete(),
  ...version()
})

const labels = pgTable('labels', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  name: text().notNull(),
  code: text().unique(),
  ...timestamps(),
  ...softDelete(),
  ...version()
},
(table) => [uniqueLive(table.name)])

const labelsSql = `create table labels (
  id int primary key generated always as identity, name text not null, code text unique,
  "createdAt" timestamptz(3) not null default now(), "updatedAt" timestamptz(3) not null default now(), "deletedAt" timestamptz(3), version int not null default 1
); create unique index on labels (name) where "deletedAt" is null`

const documentsSql = `create table documents (
  id int primary key generated always as identity, slug text not null, body text not null default '',
  "createdAt" timestamptz(3) not null default now(), "updatedAt" timestamptz(3) not null default now(), "deletedAt" timestamptz(3), version int not null default 1
)`

t.test('after its first call no method of a repository builds SQL', async (t) => {
  const database = await open(t)
  await database.execute(sql.raw(documentsSql))
  await database.execute(sql.raw(labelsSql))
  const repo = database.repo(documents)
  const { id } = await repo.create({ slug: 'first' })
  const labelled = database.repo(labels)
  let length = 0
  const calls: Record<string, () => Promise<unknown>> = {
    get: () => repo.get(id),
    getOrThrow: () => repo.getOrThrow(id, { columns: ['slug'], lock: 'update' }),
    getBy: () => repo.getBy({ id: { eq: id } }),
    getByOrThrow: () => repo.getByOrThrow({ id }),
    getMany: () => repo.getMany([id, 0, 1]),
    getAll: () => repo.getAll({ limit: 2, skip: 1, orderBy: { slug: 'asc', createdAt: { direction: 'desc', nulls: 'last' } } }),
    filter: () => repo.filter({ or: [{ slug: { like: 'f%' } }, { id: { in: [1, 2, 3] } }, { not: { version: { between: [1, 2] } } }] }),
    first: () => repo.first({ updatedAt: { lt: new Date() } }),
    count: () => repo.count({ deletedAt: null }),
    exists: () => repo.exists({ slug: 'first' }),
    create: () => repo.create({ slug: 'second', body: '' }),
    createMany: () => repo.createMany([{ slug: 'third' }, { slug: 'fourth', body: 'with one' }]),
    'createMany of other lengths': () => {
      length += 700
      return repo.createMany(Array.from({ length }, (_, n) => ({ slug: `${n}` })))
    },
    upsert: () => labelled.upsert({ name: 'first', code: 'a' }, { target: 'code' }),
    'upsert by an index of living rows': () => labelled.upsert({ name: 'first' }, { target: 'name', where: { version: { gt: 0 } } }),
    'upsert of nothing new': () => labelled.upsert({ name: 'first' }, { target: 'name' }),
    'upsert with a deleted row': () => labelled.upsert({ name: 'first', code: 'a' }, { target: 'code', deleted: 'revive', update: { name: 'first' } }),
    upsertMany: () => labelled.upsertMany(Array.from({ length: length / 7 }, (_, n) => ({ name: `${n}`, code: `${n}` })), { target: 'code', update: ['name'] }),
    getOrCreate: () => labelled.getOrCreate({ name: `${length}` }, { code: `${length}` }),
    update: () => repo.update(id, { body: `${Math.random()}` }),
    updateOrThrow: () => repo.updateOrThrow(id, { slug: 'first' }),
    updateMany: () => repo.updateMany({ slug: 'third' }, { body: 'changed' }),
    softDelete: () => repo.softDelete(id),
    restore: () => repo.restore(id),
    delete: () => repo.delete(0),
    deleteOrThrow: async () => repo.deleteOrThrow((await repo.create({ slug: 'second', body: '' })).id),
    deleteMany: () => repo.deleteMany({ slug: 'fourth' }),
    withDeleted: () => repo.withDeleted().count(),
    onlyDeleted: () => repo.onlyDeleted().getAll(),
    'in a session': () => database.session((session) => session.repo(documents).update(id, { body: 'in a session' }))
  }
  for (const call of Object.values(calls)) await call()

  const { toQuery } = SQL.prototype
  let built = 0
  SQL.prototype.toQuery = function (...given) { built++; return toQuery.apply(this, given) }
  t.teardown(() => { SQL.prototype.toQuery = toQuery })
  for (const [name, call] of Object.entries(calls)) {
    built = 0
    await call()
    t.equal(built, 0, name)
  }
  await database.execute(sql`select 1`)
  t.equal(built, 1, 'what is counted')
})

t.test('each constant of a schema is one object, written once for each casing', async (t) => {
  const others = pgTable('others', { id: integer().primaryKey(), ...timestamps(), ...version() })
  t.equal(documents.createdAt.default, others.createdAt.default)
  t.equal(documents.updatedAt.onUpdateFn?.(), others.updatedAt.onUpdateFn?.())
  t.equal(plusOne(documents.version), plusOne(documents.version))
  t.not(plusOne(documents.version), plusOne(others.version))

  const camel = new SqlBuilder(limits)
  const snake = new SqlBuilder({ ...limits, casing: 'snake_case' })
  const stamp = plusOne(pgTable('stamps', { rowVersion: integer() }).rowVersion)
  for (let round = 0; round < 2; round++) {
    t.match(camel.sqlToQuery(stamp), { sql: '"stamps"."rowVersion" + 1', params: [] })
    t.match(snake.sqlToQuery(stamp), { sql: `"stamps"."${isDrizzle1 ? 'rowVersion' : 'row_version'}" + 1`, params: [] })
  }
  t.equal(camel.sqlToQuery(stamp), camel.sqlToQuery(stamp))
  const own = sql`now()`
  t.not(camel.sqlToQuery(own), camel.sqlToQuery(own), "not the user's own, which may change")
})
