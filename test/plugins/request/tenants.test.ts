import { sql } from 'drizzle-orm'
import t from 'tap'
import { PolicyViolationError } from '../../../src/errors/errors.js'
import { createTestDatabase, expectIsolated, expectNoLeaks } from '../../../src/testing/index.js'
import { statementsFor } from '../../helpers/drizzle-kit.js'
import { readPage } from '../../helpers/markdown.js'
import { buildTenantServer, createTenantDatabase, leftOnConnections, notes } from '../../helpers/tenant-server.js'
import type { SQL } from 'drizzle-orm'
import type { InjectOptions } from 'fastify'

const { owner, ...options } = await createTenantDatabase(t)
const server = await buildTenantServer(options)
t.teardown(() => server.close())
t.afterEach(async () => {
  t.strictSame(await leftOnConnections(server.db), [], 'idle connections have no tenant, and the first role')
  await expectNoLeaks(server.db)
})

const send = async (tenant: number, request: InjectOptions) => await server.inject({ ...request, headers: { 'x-tenant': String(tenant) } })
const tenantsIn = (body: string) => [...new Set((JSON.parse(body) as Array<{ tenantId: number }>).map(({ tenantId }) => tenantId))]

t.test('rows of two tenants are isolated in every route', async () => {
  await expectIsolated(server, { a: { 'x-tenant': '1' }, b: { 'x-tenant': '2' } }, [{
    create: (text) => ({ method: 'POST', url: '/notes', payload: { text } }),
    others: ({ id }: { id: number }) => [
      '/notes', '/count', '/raw', '/stream', `/notes/${id}`,
      { method: 'PATCH', url: `/notes/${id}`, payload: { text: 'taken' } }, { method: 'DELETE', url: `/notes/${id}` }
    ]
  }])
})

t.test('each way to run a statement has the tenant of its request, on connections that another tenant had before', async (t) => {
  for (const tenant of [1, 2, 3]) t.equal((await send(tenant, { method: 'POST', url: '/notes', payload: { text: 'x' } })).statusCode, 201)
  const requests: InjectOptions[] = [
    { url: '/notes' }, { url: '/raw' }, { url: '/stream' }, { url: '/db' }, { method: 'POST', url: '/nested' }, { method: 'POST', url: '/retried' }
  ]
  for (const request of requests) {
    const replies = await Promise.all([1, 2, 3, 1, 2, 3].map(async (tenant) => ({ tenant, reply: await send(tenant, request) })))
    for (const { tenant, reply } of replies) t.strictSame([reply.statusCode, tenantsIn(reply.body)], [200, [tenant]], `${String(request.url)} of ${tenant}`)
  }
  t.equal((await send(1, { url: '/slow' })).statusCode, 503)
})

t.test('a row for another tenant is refused, and nothing is kept', async (t) => {
  const before = await owner.repo(notes).count()
  t.match((await send(1, { method: 'POST', url: '/foreign', payload: { tenantId: 2 } })).json(), { statusCode: 403, code: 'DB_POLICY_VIOLATION' })
  const repo = server.db.withContext({ settings: { 'app.tenant_id': 1 }, role: options.role }).repo(notes)
  await t.rejects(repo.createMany([{ text: 'own' }, { text: 'foreign', tenantId: 2 }]), PolicyViolationError)
  t.equal(await owner.repo(notes).count(), before)
})

t.test('a request without a tenant, and the database without a context, are refused', async (t) => {
  t.match((await server.inject('/notes')).json(), { statusCode: 500, code: 'DB_CONTEXT_MISSING' })
  await t.rejects(server.db.repo(notes).count(), { code: 'DB_CONTEXT_MISSING' })
})

t.test('the SQL of docs/tenants.md gives the server its rows only, and its way back leaves no role', async (t) => {
  const { database } = await createTestDatabase(t, { sql: (await statementsFor({ notes })).join('\n') })
  const { rows: [own] } = await database.execute<{ name: string }>(sql`select current_database() as name`)
  const suffix = `_${own?.name.slice(-20)}`
  const [roles, back, system] = readPage('docs/tenants.md').blocks.filter(({ language }) => language === 'sql')
    .map(({ code }) => sql.raw(code.replaceAll(/\bapp_(user|login|system)\b/g, (name) => `"${name}${suffix}"`)))
  await database.execute(roles as SQL)
  await database.execute(system as SQL)
  const countAs = async (role: string, tenant: string) => await database.withContext({ role: `${role}${suffix}`, settings: { 'app.tenant_id': tenant } }).repo(notes).count()
  await database.withContext({ settings: { 'app.tenant_id': 1 }, role: `app_user${suffix}` }).repo(notes).create({ text: 'mine' })
  t.strictSame([await countAs('app_user', '1'), await countAs('app_user', '2'), await countAs('app_system', '2')], [1, 0, 1])
  await t.rejects(countAs('app_login', '1'), { name: 'DatabaseError', context: { sqlState: '42501' } }, 'the login itself has no rights')
  await database.execute(sql.raw(`drop policy system on notes; drop owned by "app_system${suffix}"; drop role "app_system${suffix}"`))
  await database.execute(back as SQL)
  t.equal((await database.execute(sql`select from pg_roles where rolname like ${`%${suffix}`}`)).rowCount, 0)
})
