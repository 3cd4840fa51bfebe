import { getTableName } from 'drizzle-orm'
import { getTableConfig, integer, PgDialect, pgTable, text, varchar } from 'drizzle-orm/pg-core'
import t from 'tap'
import { audit, auditSql, UsageError } from '../../../src/index.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { run } from './audited.js'
import type { SQL } from 'drizzle-orm'

const table = (name = 'users') => pgTable(name, { id: integer().primaryKey(), tenantId: varchar({ length: 3 }), name: text() })

t.test('columns, names and settings that cannot be are refused', async (t) => {
  const users = table()
  const refusals: Array<[() => unknown, string]> = [
    [() => audit(users, { mask: ['nope' as never] }), 'Table "users" has no column "nope" for audit()'],
    [() => audit(users, { ignore: ['constructor' as never] }), 'Table "users" has no column "constructor" for audit()'],
    [() => audit(users, { tenant: 'nope' as never }), 'Table "users" has no column "nope" for audit()'],
    [() => audit(users, { tenant: 'tenantId', mask: ['tenantId'] }), 'The column "tenantId" names the tenant of an entry, so audit() cannot mask it'],
    [() => audit(table('x'.repeat(49))), 'The name of a history table has at most 56 bytes: give audit() a shorter "name"'],
    [() => audit(users, { settings: { actor: "x'; drop table users; --" } }), '"actor" of audit({ settings }) must be the name of a setting with a dot, such as app.tenant_id'],
    [() => audit(users, { settings: { who: 'app.who' } as never }), '"who" of audit({ settings }) is not an option: use actor, requestId, reason, tenant'],
    [() => auditSql(users as never), 'auditSql() takes the table that audit() returns']
  ]
  for (const [call, message] of refusals) t.throws(call, new UsageError(message))
  const history = audit(users, { settings: { actor: undefined } })
  t.throws(() => audit(users), new UsageError('Table "users" has an audit already: call audit() once for each table'))
  t.throws(() => auditSql(users as never), new UsageError('auditSql() takes the table that audit() returns'))
  t.equal(getTableName(history), 'users_history')
})

t.test('the tenant is read as the type of its column, without a length that would cut it', async (t) => {
  const policy = (tenant: object) => {
    const users = pgTable('users', { id: integer().primaryKey(), tenant: tenant as ReturnType<typeof text> })
    const [own] = getTableConfig(audit(users, { tenant: 'tenant', settings: { tenant: 'my.tenant' } })).policies
    return new PgDialect().sqlToQuery(own?.using as SQL).sql
  }
  t.equal(policy(integer()), '"users_history"."tenant"::integer = nullif(current_setting(\'my.tenant\', true), \'\')::integer')
  t.match(policy(varchar({ length: 3 })), /^"users_history"."tenant"::text = .*::text$/)
})

t.test('the SQL of an audit makes it in a database that another tool migrates, and undoes it', async (t) => {
  const users = table()
  const usersHistory = audit(users)
  const { up, down } = auditSql(usersHistory)
  const { database } = await createTestDatabase(t, {
    sql: `
    create table users (id integer primary key, "tenantId" varchar(3), name text);
    create table users_history (id bigint primary key generated always as identity, at timestamptz(3), operation text, key jsonb, changed jsonb,
      before jsonb, after jsonb, actor text, request_id text, reason text, database_user text, transaction_id text, tenant text)`
  })
  for (const turn of [1, 2]) {
    await run(database, up)
    await run(database, `insert into users values (${turn})`)
    t.match(await database.repo(users).history(turn), [{ operation: 'insert' }])
    await run(database, down)
    await run(database, `update users set name = 'x' where id = ${turn}`)
  }
  t.equal(await database.repo(usersHistory).count(), 2)
})
