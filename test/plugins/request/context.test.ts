import { sql } from 'drizzle-orm'
import Fastify from 'fastify'
import t from 'tap'
import dataAccess from '../../../plugins/index.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { unhurried } from '../../helpers/database.js'
import { contextOf, tenantTables } from '../../helpers/context-tenants.js'
import { users } from '../../helpers/schema.js'
import { until } from '../../helpers/until.js'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { TransactionContext } from '../../../src/index.js'
import type { Test } from '../../helpers/test.js'

const ofHeader = ({ headers: { tenant } }: FastifyRequest): TransactionContext | undefined => tenant === undefined ? undefined : contextOf(String(tenant))

const emails = async (request: FastifyRequest): Promise<string[]> => (await request.repo(users).filter({}, { orderBy: { email: 'asc' } })).map(({ email }) => email)

async function build (t: Test, options: object = { context: ofHeader, contextRequired: true }): Promise<FastifyInstance> {
  const { connectionString } = await createTestDatabase(t, { sql: tenantTables })
  const server = Fastify()
  t.teardown(() => server.close())
  await server.register(dataAccess, { connectionString, ...unhurried, transaction: options })
  return server
}

t.test('a function of the request gives the context of all that the request does', async (t) => {
  const server = await build(t)
  let attempts = 0
  server.get('/', emails)
  server.get('/nested', (request) => request.transaction(async () => await emails(request)))
  server.get('/raw', async (request) => (await request.db.execute<{ email: string }>(sql`select email from users order by email`)).rows.map(({ email }) => email))
  server.get('/stream', async (request) => {
    const found: string[] = []
    for await (const { email } of request.repo(users).stream()) found.push(email)
    return found.sort()
  })
  server.get('/retried', { config: { transaction: { retries: 1 } } }, async (request) => {
    const found = await emails(request)
    if (attempts++ === 0) await request.db.execute(sql`do $$ begin raise exception using errcode = '40001'; end $$`)
    return found
  })
  server.get('/mine', { config: { transaction: { context: contextOf('a') } } }, emails)
  server.get('/other', { config: { transaction: { context: () => contextOf('a') } } }, emails)
  server.post('/', (request) => request.repo(users).create({ email: 'bea' }))

  const b = { tenant: 'b' }
  for (const url of ['/', '/nested', '/raw', '/stream', '/retried']) {
    const response = await server.inject({ url, headers: b })
    t.same(response.json(), ['ben', 'bob'], url)
    t.same((await server.inject({ url, headers: { tenant: 'a' } })).json(), ['ada'], url)
  }
  t.equal(attempts, 3)
  t.match((await server.inject({ method: 'POST', url: '/', headers: b })).json(), { email: 'bea' })
  t.same((await server.inject({ url: '/', headers: b })).json(), ['bea', 'ben', 'bob'])
  for (const url of ['/mine', '/other']) t.same((await server.inject({ url, headers: b })).json(), ['ada'], 'the options of a route go first')
})

t.test('each way to forget the context is refused', async (t) => {
  const server = await build(t)
  let late: unknown
  server.get('/', emails)
  server.get('/shared', () => server.db.repo(users).count())
  server.get('/stream', () => server.db.repo(users).stream().next())
  server.get('/raw', () => server.db.execute(sql`select 1`))
  server.get('/early', { config: { transaction: { begin: 'onRequest' } } }, async () => 'never')
  server.get('/role', { config: { transaction: { context: () => ({ settings: { 'app.tenant': 'a' } }) } } }, emails)
  server.get('/promise', { config: { transaction: { context: (async () => contextOf('a')) as never } } }, emails)
  server.get('/thrown', { config: { transaction: { context: () => { throw new Error('who is this?') } } } }, emails)
  server.get('/after', async (request) => {
    request.db.afterCommit(async () => { late = await server.db.repo(users).count().catch((error: unknown) => error) })
    return await emails(request)
  })

  const missing = { statusCode: 500, code: 'DB_CONTEXT_MISSING' }
  for (const url of ['/', '/shared', '/stream', '/raw', '/early', '/role']) t.match((await server.inject(url)).json(), missing, url)
  t.match((await server.inject('/promise')).json(), { statusCode: 500, code: 'DB_USAGE' })
  t.match((await server.inject('/thrown')).json(), { statusCode: 500 })
  t.same((await server.inject({ url: '/after', headers: { tenant: 'a' } })).json(), ['ada'])
  t.match(late, missing)
  let heard: unknown
  const subscription = await server.db.listen('news', async () => { heard = await server.db.repo(users).count().catch((error: unknown) => error) })
  await server.db.withContext(contextOf('a')).execute(sql`select pg_notify('news', '')`)
  await until(() => heard !== undefined) // the listener alone keeps no process alive
  t.match(heard, missing, 'a listener')
  await subscription.close()
  t.equal(await server.db.withContext(contextOf('b')).repo(users).count(), 2)
})

t.test('a hook may decide who the user is, until the first statement', async (t) => {
  const ofHook = (request: FastifyRequest): TransactionContext | undefined => {
    const tenant = request.getDecorator<string | undefined>('tenant')
    return tenant === undefined ? undefined : contextOf(tenant)
  }
  const server = await build(t, { context: ofHook, contextRequired: true })
  server.decorateRequest<unknown>('tenant', undefined)
  server.addHook('preHandler', async (request) => {
    await request.repo(users).count().then(() => t.fail('too early'), (error) => t.match(error, { code: 'DB_CONTEXT_MISSING' }))
    Object.assign(request, { tenant: 'b' })
  })
  server.get('/', emails)
  t.same((await server.inject('/')).json(), ['ben', 'bob'])
})

t.test('without contextRequired a request may have no context, and an object is one for the whole server', async (t) => {
  const server = await build(t, { context: ofHeader })
  server.get('/', emails)
  t.same((await server.inject('/')).json(), ['ada', 'ben', 'bob'], 'the database user bypasses the policies')
  t.same((await server.inject({ url: '/', headers: { tenant: 'a' } })).json(), ['ada'])

  const fixed = await build(t, { context: contextOf('a'), contextRequired: true })
  fixed.get('/', emails)
  t.same((await fixed.inject('/')).json(), ['ada'])
  t.equal(await fixed.db.repo(users).count(), 1)
})

t.test('a database user who bypasses the policies is refused when the server starts, also after migrations', async (t) => {
  await t.rejects(build(t, { contextRequired: true }), { name: 'SettingsError', setting: 'transaction.contextRequired' })
  await t.rejects(build(t, { context: { settings: { 'app.tenant': 'a' } }, contextRequired: true }), { name: 'SettingsError', setting: 'transaction.contextRequired' })
})

t.test('each of several databases has a context of its own, and a route gives one to all', async (t) => {
  const server = await build(t, { context: ofHeader })
  const { connectionString } = await createTestDatabase(t, { sql: tenantTables })
  await server.register(dataAccess, { name: 'billing', connectionString, ...unhurried, transaction: { context: () => contextOf('a') } })
  const inBilling = async (request: FastifyRequest): Promise<unknown> => (await request.databases['billing']?.execute(sql`select email from users order by email`))?.rows
  server.get('/', async (request) => [await emails(request), await inBilling(request)])
  server.get('/fixed', { config: { transaction: { context: contextOf('b') } } }, async (request) => [await emails(request), await inBilling(request)])
  t.same((await server.inject({ url: '/', headers: { tenant: 'b' } })).json(), [['ben', 'bob'], [{ email: 'ada' }]])
  t.same((await server.inject({ url: '/fixed', headers: { tenant: 'a' } })).json(), [['ben', 'bob'], [{ email: 'ben' }, { email: 'bob' }]])
})
