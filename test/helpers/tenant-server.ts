import { sql } from 'drizzle-orm'
import { index, integer, pgTable, text } from 'drizzle-orm/pg-core'
import Fastify from 'fastify'
import { Readable } from 'node:stream'
import dataAccess from '../../plugins/index.js'
import { tenantPolicy } from '../../src/model/tenant-policy.js'
import { createTestDatabase } from '../../src/testing/index.js'
import { statementsFor } from './drizzle-kit.js'
import type { FastifyInstance } from 'fastify'
import type { Database } from '../../src/index.js'
import type { Test } from './test.js'

/** Notes of tenants. A new one belongs to the tenant of its transaction. */
export const notes = pgTable('notes', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  tenantId: integer('tenant_id').notNull().default(sql`cast(nullif(current_setting('app.tenant_id', true), '') as integer)`),
  text: text().notNull()
}, (table) => [tenantPolicy(table.tenantId), index('notes_tenant').on(table.tenantId)])

/** A database with notes, a user who may read none of them, and the role of tenants, which this user may take. */
export async function createTenantDatabase (t: Test): Promise<{ connectionString: string, owner: Database, role: string }> {
  const { connectionString, database: owner } = await createTestDatabase(t, { sql: (await statementsFor({ notes })).join('\n') })
  const url = new URL(connectionString)
  const role = `app_${url.pathname.slice(1)}`.slice(0, 63)
  const user = `login_${url.pathname.slice(1)}`.slice(0, 63)
  await owner.execute(sql.raw(`create role ${role}; grant all on notes to ${role};
    create role ${user} login noinherit password 'tenants'; grant ${role} to ${user}; grant pg_signal_backend to ${user}`))
  t.teardown(() => owner.execute(sql.raw(`drop owned by ${role}; drop role ${user}; drop role ${role}`)))
  url.username = user
  url.password = 'tenants'
  return { connectionString: url.href, owner, role }
}

type Id = { Params: { id: number } }
interface Text { Body: { text: string } }

/** A server over notes: the header `x-tenant` names the tenant of a request. Each route is another way to reach rows. */
export async function buildTenantServer (options: { connectionString: string, role: string, size?: number }): Promise<FastifyInstance> {
  const { connectionString, role, size = 2 } = options
  const server = Fastify({ forceCloseConnections: true })
  const contextOf = (tenant: unknown) => ({ settings: { 'app.tenant_id': String(tenant) }, role })
  await server.register(dataAccess, {
    connectionString,
    schema: { notes },
    health: false,
    pool: { size, maxOverflow: 0 },
    leakWarningSeconds: 0,
    slowQueryMillis: 3_600_000,
    transaction: {
      contextRequired: true,
      context: ({ headers: { 'x-tenant': tenant } }) => tenant === undefined ? undefined : contextOf(tenant)
    }
  })
  server.get('/notes', (request) => request.repo(notes).filter({}, { orderBy: { id: 'desc' }, limit: 20 }))
  server.get('/count', (request) => request.repo(notes).count())
  server.get('/raw', async (request) => (await request.db.execute(sql`select id, tenant_id as "tenantId", text from notes order by id desc limit 20`)).rows)
  server.get<Id>('/notes/:id', (request) => request.repo(notes).getOrThrow(Number(request.params.id)))
  server.post<Text>('/notes', async (request, reply) => { reply.code(201); return await request.repo(notes).create({ text: request.body.text }) })
  server.patch<Id & Text>('/notes/:id', (request) => request.repo(notes).updateOrThrow(Number(request.params.id), { text: request.body.text }))
  server.delete<Id>('/notes/:id', (request) => request.repo(notes).deleteOrThrow(Number(request.params.id)))
  server.get('/stream', (request, reply) => reply.type('application/json').send(Readable.from(lines(request.repo(notes).stream({}, { batchSize: 5 })))))
  server.get('/db', (request) => server.db.withContext(contextOf(request.headers['x-tenant'])).repo(notes).filter({}, { limit: 20 }))
  server.post('/nested', async (request) => {
    const kept = await request.transaction((scope) => scope.repo(notes).create({ text: 'nested' }))
    await request.transaction(async (scope) => { await scope.repo(notes).create({ text: 'undone' }); throw new Error('undo') }).catch(() => undefined)
    return [kept, ...await request.repo(notes).filter({}, { limit: 20 })]
  })
  server.post('/retried', { config: { transaction: { retries: 5, isolationLevel: 'serializable' } } }, async (request) => {
    const found = await request.repo(notes).filter({}, { limit: 5, orderBy: { id: 'asc' } })
    return [...found, await request.repo(notes).create({ text: `after ${found.length}` })]
  })
  server.get('/slow', { config: { transaction: { timeoutMillis: 20 } } }, async (request) => (await request.db.execute(sql`select id, tenant_id as "tenantId", pg_sleep(0.04) from notes limit 1`)).rows)
  server.post<{ Body: { tenantId: number } }>('/foreign', (request) => request.repo(notes).create({ text: 'foreign', tenantId: request.body.tenantId }))
  return server
}

async function * lines (rows: AsyncIterable<object>): AsyncGenerator<string> {
  let before = '['
  for await (const row of rows) { yield `${before}${JSON.stringify(row)}`; before = ',' }
  yield before === '[' ? '[]' : ']'
}

/** What is left on the idle connections of a server: each must be the first user without a tenant. */
export async function leftOnConnections (database: Database): Promise<string[]> {
  const clients = []
  while (database.pool.idleCount > 0) {
    const client = await database.pool.connect().catch(() => undefined)
    if (client === undefined) break
    clients.push(client)
  }
  const left = await Promise.all(clients.map(async (client) => {
    try {
      const { rows: [row] } = await client.query<{ left: string }>(`select case when current_user = session_user and coalesce(current_setting('app.tenant_id', true), '') = ''
        then '' else current_user || ' ' || current_setting('app.tenant_id', true) end as left`)
      client.release()
      return [String(row?.left)]
    } catch (error) {
      client.release(error as Error)
      return [] // the backend was killed: nothing is left of it
    }
  }))
  return left.flat().filter((one) => one !== '')
}
