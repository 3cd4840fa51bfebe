import { eq, sql } from 'drizzle-orm'
import { bigint, bigserial, boolean, char, customType, index, integer, numeric, pgRole, pgTable, smallint, text, uuid, varchar } from 'drizzle-orm/pg-core'
import t from 'tap'
import { openDatabase } from '../../../src/database/open-database.js'
import { PolicyViolationError, UsageError, ValidationError } from '../../../src/errors/errors.js'
import { tenantPolicy } from '../../../src/model/tenant-policy.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { snakeCase, snakeCaseTable } from '../../helpers/drizzle.js'
import { statementsFor } from '../../helpers/drizzle-kit.js'
import type { PgColumnBuilderBase } from 'drizzle-orm/pg-core'
import type { Database, Scope } from '../../../src/index.js'

const notes = snakeCaseTable('notes', {
  id: integer().primaryKey(),
  tenantId: integer().notNull(),
  text: text().notNull()
}, (table) => [tenantPolicy(table.tenantId), index('notes_tenant').on(table.tenantId)])

/** A database with tables, and a second one for the role of tenants, which owns nothing. */
async function build (tables: object): Promise<{ owner: Database, tenants: Database }> {
  const { connectionString, database: owner } = await createTestDatabase(t, { sql: (await statementsFor(tables, snakeCase)).join('\n'), ...snakeCase })
  const url = new URL(connectionString)
  const role = `tenants_${url.pathname.slice(1)}`.slice(0, 63)
  await owner.execute(sql.raw(`create role ${role} login password 'tenants'; grant all on all tables in schema public to ${role}`))
  t.teardown(() => owner.execute(sql.raw(`drop owned by ${role}; drop role ${role}`)))
  url.username = role
  url.password = 'tenants'
  const tenants = await openDatabase({ connectionString: url.href, ...snakeCase, pool: { size: 1, maxOverflow: 0 } })
  t.teardown(() => tenants.close())
  return { owner, tenants }
}

const { owner, tenants } = await build({ notes })
const setTenant = (scope: Scope, tenant: string) => scope.execute(sql`select set_config('app.tenant_id', ${tenant}, true)`)

function as<Result> (tenant: string, fn: (scope: Scope) => Promise<Result>): Promise<Result> {
  return tenants.transaction(async (scope) => { await setTenant(scope, tenant); return await fn(scope) })
}

t.beforeEach(async () => {
  await owner.execute(sql`truncate notes`)
  await owner.repo(notes).createMany([{ id: 1, tenantId: 1, text: 'a' }, { id: 2, tenantId: 2, text: 'b' }])
})

t.test('drizzle-kit writes one policy for reading and writing, and turns policies on', async (t) => {
  const statements = await statementsFor({ notes }, snakeCase)
  const written = statements.join('\n')
  t.match(written, /ALTER TABLE "notes" ENABLE ROW LEVEL SECURITY/)
  const isOwn = String.raw`\(?"(notes"\.")?tenant_id" = nullif\(current_setting\('app\.tenant_id', true\), ''\)::integer\)?`
  t.match(written, new RegExp(`CREATE POLICY "tenant_isolation" ON "notes" AS PERMISSIVE FOR ALL TO public USING \\(${isOwn}\\) WITH CHECK \\(${isOwn}\\)`))
})

t.test('a tenant reads and writes its own rows only', async (t) => {
  await as('1', async (scope) => {
    const repo = scope.repo(notes)
    t.strictSame((await repo.getAll()).map(({ id }) => id), [1])
    t.equal(await repo.get(2), undefined)
    t.equal(await repo.update(2, { text: 'taken' }), undefined)
    t.equal(await repo.delete(2), false)
    t.equal(await repo.updateMany({}, { text: 'mine' }, { all: true }), 1)
    t.match(await repo.create({ id: 3, tenantId: 1, text: 'c' }), { id: 3 })
  })
  t.strictSame((await owner.repo(notes).getAll()).map((row) => row.text), ['mine', 'b', 'c'])
  await t.rejects(as('1', (scope) => scope.repo(notes).create({ id: 4, tenantId: 2, text: 'd' })), PolicyViolationError)
  await t.rejects(as('1', (scope) => scope.repo(notes).update(1, { tenantId: 2 })), PolicyViolationError, 'no row is given away')
})

t.test('without a setting no row is visible or writable, on a connection that has had one, too', async (t) => {
  t.equal(await as('1', (scope) => scope.repo(notes).count()), 1)
  const { rows: [left] } = await tenants.execute<{ left: string }>(sql`select current_setting('app.tenant_id', true) as left`)
  t.equal(left?.left, '', 'PostgreSQL leaves an empty text')
  t.equal(await tenants.repo(notes).count(), 0)
  t.equal(await tenants.repo(notes).updateMany({}, { text: 'taken' }, { all: true }), 0)
  await t.rejects(tenants.repo(notes).create({ id: 5, tenantId: 1, text: 'e' }), PolicyViolationError)
})

t.test('a setting that is not a value of the column is refused, and shows nothing', async (t) => {
  await t.rejects(as('1 or true', (scope) => scope.repo(notes).getAll()), ValidationError)
})

t.test('a plan reads the tenant\'s rows through the index of the column', async (t) => {
  await owner.execute(sql`insert into notes select n, n % 100, 'x' from generate_series(10, 5000) n; analyze notes`)
  const plan = (query: string) => as('7', async (scope) => {
    const { rows } = await scope.execute<{ 'QUERY PLAN': string }>(sql.raw(`explain ${query}`))
    return rows.map((row) => row['QUERY PLAN']).join('\n')
  })
  const condition = String.raw`Index Cond: \(tenant_id = \(NULLIF\(current_setting\('app.tenant_id'::text, true\), ''::text\)\)::integer\)`
  t.match(await plan('select * from notes'), new RegExp(condition))
  t.match(await plan('select count(*) from notes'), new RegExp(condition))
  t.match(await plan('update notes set text = text'), new RegExp(condition))
  t.match(await plan('select * from notes where id = 5'), /Index Scan using notes_pkey/)
  t.equal(await as('7', (scope) => scope.repo(notes).count()), 49)
})

const typed = {
  smallint: [smallint(), 'smallint'],
  integer: [integer(), 'integer'],
  bigint: [bigint({ mode: 'number' }), 'bigint'],
  bigserial: [bigserial({ mode: 'number' }), 'bigint'],
  numeric: [numeric({ precision: 9, scale: 2 }), 'numeric'],
  uuid: [uuid(), 'uuid'],
  text: [text(), 'text'],
  varchar: [varchar({ length: 3 }), 'text'],
  char: [char({ length: 3 }), 'bpchar']
} satisfies Record<string, [PgColumnBuilderBase, string]>

t.test('the setting is cast to the type of the column, never to one with a length', async (t) => {
  for (const [name, [tenant, type]] of Object.entries(typed)) {
    const table = pgTable('typed', { tenant }, (own) => [tenantPolicy(own.tenant)])
    t.match((await statementsFor({ table })).join('\n'), new RegExp(String.raw`nullif\(current_setting\('app.tenant_id', true\), ''\)::${type}\)`), name)
  }
})

t.test('a longer name of a tenant is not cut to the name of another', async (t) => {
  const words = pgTable('words', { id: integer().primaryKey(), tenant: varchar({ length: 3 }).notNull(), code: char({ length: 3 }) },
    (table) => [tenantPolicy(table.tenant)])
  const { owner, tenants } = await build({ words })
  await owner.repo(words).createMany([{ id: 1, tenant: 'abc', code: 'abc' }])
  const countAs = (tenant: string) => tenants.transaction(async (scope) => { await setTenant(scope, tenant); return await scope.repo(words).count() })
  t.equal(await countAs('abc'), 1)
  t.equal(await countAs('abcd'), 0)
})

t.test('setting, role and name are options', async (t) => {
  const app = pgRole('app_user').existing()
  const table = pgTable('orders', { id: integer().primaryKey(), shop: uuid().notNull() },
    (own) => [tenantPolicy(own.shop, { setting: 'shop.current', role: app, name: 'own_shop' })])
  t.match((await statementsFor({ table, app })).join('\n'), /CREATE POLICY "own_shop" ON "orders" AS PERMISSIVE FOR ALL TO "app_user" USING \(.*current_setting\('shop\.current', true\), ''\)::uuid/)
})

t.test('refuses what cannot name a tenant', async (t) => {
  const used = (columns: Record<string, PgColumnBuilderBase>, options = {}) =>
    () => statementsFor({ table: pgTable('wrong', columns, (own) => [tenantPolicy(own['tenant'] as never, options)]) })
  await t.rejects(used({ tenant: boolean() }), UsageError)
  await t.rejects(used({ tenant: integer().array() }), UsageError)
  await t.rejects(used({ tenant: customType({ dataType: () => 'citext' })() }), { name: 'UsageError', message: /pgPolicy\(\)/ })
  await t.rejects(used({ other: integer() }), { name: 'UsageError', message: /tenantPolicy\(table\.tenantId\)/ })
  await t.rejects(used({ tenant: integer() }, { setting: 'tenant' }), { name: 'UsageError', message: /"setting" of tenantPolicy\(\) must be the name of a setting with a dot/ })
  await t.rejects(used({ tenant: integer() }, { setting: "app.x', true)) or true --" }), UsageError)
  for (const role of [[], [['app_user']], ['app_user', []]]) {
    await t.rejects(used({ tenant: integer() }, { role }), { name: 'UsageError', message: /"role" of tenantPolicy\(\)/ }, 'drizzle-kit leaves out nested roles')
  }
  t.ok(eq(notes.id, 1), 'a column of a finished table has one, too')
})
