import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import t from 'tap'
import { Repository, UsageError, ValidationError } from '../../../../src/index.js'
import { softDelete, version } from '../../../../src/model/columns.js'
import { openRepositories } from '../../../helpers/runner.js'
import type { NewRow, Row } from '../../../../src/index.js'

const users = pgTable('users', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  name: text().notNull(),
  email: text(),
  role: text().notNull().default('guest'),
  tenant: integer().notNull().default(0),
  ...softDelete(),
  ...version()
})

class UserRepository extends Repository.of(users, { writable: ['name', 'email'] }) {
  promote (id: number): Promise<Row<typeof users> | undefined> { return this.unrestricted().update(id, { role: 'admin' }) }
  promoteWrongly (id: number): Promise<unknown> { return this.update(id, { role: 'admin' } as never) }
  protected override beforeCreate (values: NewRow<typeof users>): NewRow<typeof users> { return { ...values, tenant: 7 } }
}

const { repo: open, runner } = await openRepositories(t, `create table users (
  id integer primary key generated always as identity, name text not null, email text, role text not null default 'guest',
  tenant integer not null default 0, "deletedAt" timestamptz(3), version integer not null default 1
);`)

t.beforeEach(() => runner.client.query('truncate users restart identity'))

const hostile = [
  '{"name":"x","role":"admin"}',
  '{"name":"x","deletedAt":null}',
  '{"name":"x","__proto__":{"role":"admin"}}',
  '{"name":"x","constructor":1}',
  '{"name":"x","tenant":1}'
]

t.test('70: a body writes writable columns only', async (t) => {
  const repo = open(users).writable(['name', 'email'])
  for (const body of hostile) {
    const values = JSON.parse(body)
    await t.rejects(repo.create(values), { name: 'ValidationError', statusCode: 400 })
    await t.rejects(repo.createMany([{ name: 'fine' }, values]), ValidationError)
    await t.rejects(repo.update(1, values), ValidationError)
    await t.rejects(repo.updateOrThrow(1, values), ValidationError)
    await t.rejects(repo.updateMany({}, values, { all: true }), ValidationError)
  }
  await t.rejects(repo.create({ name: 'x', role: 'admin' } as never), { message: 'Column "role" may not be written here', context: { columns: ['role'] } })
  t.equal(await repo.count(), 0)
  t.match(await repo.create({ name: 'ada', role: undefined } as never), { name: 'ada', role: 'guest' })
})

t.test('other keys are dropped, whatever they are', async (t) => {
  const repo = open(users).writable(['name'], { others: 'drop' })
  for (const body of hostile) t.match(await repo.create(JSON.parse(body)), { name: 'x', role: 'guest', tenant: 0, deletedAt: null })
  t.match(await repo.update(1, JSON.parse('{"role":"admin","id":9,"version":9,"nope":1}')), { id: 1, role: 'guest', version: 1 }, 'nothing is left to write')
  const body = { name: 'y', email: 'z' }
  t.equal(await repo.updateMany({ id: 1 }, body), 1)
  t.match(await repo.get(1), { name: 'y', email: null })
})

t.test('writable() keeps the class, and holds for repositories made from it', async (t) => {
  const repo = open(UserRepository).writable(['name'])
  t.ok(repo instanceof UserRepository)
  for (const again of [repo, repo.withDeleted(), repo.onlyDeleted(), repo.writable(['name'])]) {
    await t.rejects(again.update(1, { email: 'x' } as never), ValidationError)
  }
  await repo.create({ name: 'ada' })
  t.match(await repo.promote(1), { role: 'admin' })
})

t.test('writable columns can be narrowed, never widened', async (t) => {
  t.throws(() => open(UserRepository).writable(['role'] as never), { message: /"role" was not writable before/ })
  t.throws(() => open(users).writable(['name']).writable(['email'] as never), UsageError)
  t.throws(() => open(users).writable(['nope'] as never), /Unknown column "nope"/)
  t.throws(() => open(users).writable(['id'] as never), /"id" is generated/)
  t.throws(() => open(users).writable(['version'] as never), /"version" counts/)
  t.throws(() => open(users).writable('name' as never), /array/)
  for (const options of [{ others: 'ignore' }, { other: 'drop' }, 'drop']) t.throws(() => open(users).writable(['name'], options as never), /others/)
})

t.test('a class declares the writable columns of its callers; its hooks and methods may write more', async (t) => {
  const repo = open(UserRepository)
  await t.rejects(repo.create({ name: 'x', role: 'admin' } as never), { message: 'Column "role" may not be written here' })
  t.match(await repo.create({ name: 'ada', email: 'ada@example.com' }), { role: 'guest', tenant: 7 })
  t.match(await repo.promote(1), { role: 'admin' })
  await t.rejects(repo.promoteWrongly(1), ValidationError)
  t.match(await repo.softDelete(1), { name: 'ada' }, 'deleting and restoring need no writable column')
  t.match(await repo.restore(1), { deletedAt: null })
})

t.test('a class with an invalid declaration is refused at its first use', async (t) => {
  class Typo extends Repository.of(users, { writable: ['nmae' as never] }) {}
  class Generated extends Repository.of(users, { writable: ['id' as never] }) {}
  t.throws(() => open(Typo), { name: 'UsageError', message: /Unknown column "nmae"/ })
  for (const writable of [null, 0, '', 'name', {}, [undefined], [1], [Symbol('name')]]) {
    t.throws(
      () => open(Repository.of(users, { writable: writable as never })),
      UsageError
    )
  }
  t.throws(() => open(Generated), /"id" is generated/)
})
