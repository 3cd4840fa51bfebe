import { boolean, integer, pgTable, text } from 'drizzle-orm/pg-core'
import { sql } from 'drizzle-orm'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import t from 'tap'
import { beside } from '../helpers/backend.js'
import { connectionsOf } from '../helpers/connections.js'
import { recordLog } from '../helpers/log-stream.js'
import { users } from '../helpers/schema.js'
import { build } from '../helpers/server.js'
import { softDelete, timestamps } from '../../src/index.js'

const ada = { email: 'ada@example.com' }

const notes = pgTable('notes', { id: integer().primaryKey().generatedAlwaysAsIdentity(), title: text().notNull(), ...softDelete() })

const accounts = pgTable('accounts', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  name: text().notNull(),
  isAdmin: boolean().notNull().default(false),
  tenantId: integer().notNull().default(1),
  ...timestamps(),
  ...softDelete()
})

const bodyOf = (request: { body: unknown }) => request.body as never
/** The ways in which a route may use a body. */
interface Writing {
  create (values: never): Promise<unknown>
  update (id: number, values: never): Promise<unknown>
}

const send = (server: FastifyInstance, url: string, body: string) => server.inject({
  method: 'POST', url, body, headers: { 'content-type': 'application/json' }
})

t.test('69: an update or delete of many with an empty filter is 400 and changes no row', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  server.delete('/users', (request) => request.repo(users).deleteMany(request.query as object))
  server.patch('/users', (request) => request.repo(users).updateMany(request.query as object, { balance: 7 }))
  server.delete('/everything', (request) => request.repo(users).deleteMany({}, { all: true }))
  await server.db.repo(users).createMany([ada, { email: 'grace@example.com' }])
  const connections = connectionsOf(server.db)

  for (const method of ['DELETE', 'PATCH'] as const) {
    const reply = await server.inject({ method, url: '/users' })
    t.match(reply.json(), { statusCode: 400, code: 'DB_EMPTY_FILTER', message: /\{ all: true \}/ })
  }
  t.strictSame(connections(), { acquired: 0, destroyed: 0 }, 'nothing was sent')
  t.equal(await server.db.repo(users).count({ balance: 0 }), 2)
  t.equal((await server.inject({ method: 'DELETE', url: '/users?email=ada@example.com' })).body, '1', 'with a condition')
  t.equal((await server.inject({ method: 'DELETE', url: '/everything' })).body, '1', 'and where all are meant')
  t.equal(log.lines(40).length, 0)
})

t.test('70: a body writes only columns declared writable, never owner, timestamps or visibility', async (t) => {
  const server = await build(t)
  await beside(server.db, `create table accounts (id integer primary key generated always as identity, name text not null, "isAdmin" boolean not null default false,
    "tenantId" integer not null default 1, "createdAt" timestamptz(3) not null default now(), "updatedAt" timestamptz(3) not null default now(), "deletedAt" timestamptz(3))`)
  const ways: Record<string, (request: FastifyRequest) => Writing> = {
    refusing: (request) => request.repo(accounts).writable(['name']),
    dropping: (request) => request.repo(accounts).writable(['name'], { others: 'drop' })
  }
  for (const [name, repo] of Object.entries(ways)) {
    server.post(`/${name}`, (request) => repo(request).create(bodyOf(request)))
    server.patch(`/${name}`, (request) => repo(request).update(1, bodyOf(request)))
  }
  server.post('/anything', (request) => request.repo(accounts).create(bodyOf(request)))
  await server.db.repo(accounts).create({ name: 'ada' })
  const rows = () => beside(server.db, 'select * from accounts order by id')
  const [before] = await rows()
  const ask = (method: 'POST' | 'PATCH', url: string, body: string) => server.inject({ method, url, body, headers: { 'content-type': 'application/json' } })

  const hostile = [
    '"isAdmin":true', '"id":7', '"createdAt":"2000-01-01T00:00:00Z"', '"updatedAt":"2000-01-01T00:00:00Z"', '"deletedAt":null', '"tenantId":2',
    '"nope":1', '"isAdmin":null'
  ]
  for (const key of hostile) {
    for (const [method, body] of [['POST', `{"name":"x",${key}}`], ['PATCH', `{"name":"x",${key}}`], ['PATCH', `{${key}}`]] as const) {
      t.match((await ask(method, '/refusing', body)).json(), { statusCode: 400, code: 'DB_VALIDATION' }, `${method} ${body}`)
    }
    t.equal((await ask('PATCH', '/dropping', `{${key}}`)).statusCode, 200, 'nothing is left to write')
  }
  t.strictSame(await rows(), [before], 'nothing was written')

  for (const body of ['{"name":"x","id":7}', '{"name":"x","nope":1}']) {
    t.match(
      (await ask('POST', '/anything', body)).json(),
      { statusCode: 400, code: 'DB_VALIDATION' },
      'not even without a list'
    )
  }
  t.equal((await ask('POST', '/dropping', `{"name":"x",${hostile.slice(0, 7).join(',')}}`)).statusCode, 200)
  t.equal((await ask('PATCH', '/dropping', `{"name":"y",${hostile.slice(0, 7).join(',')}}`)).statusCode, 200)
  const after = await rows()
  t.match(after, [{ id: 1, name: 'y' }, { id: 2, name: 'x' }].map((row) => ({ ...row, isAdmin: false, tenantId: 1, deletedAt: null })))
  for (const row of after) t.ok(Object(row).createdAt.getFullYear() > 2000 && Object(row).updatedAt.getFullYear() > 2000)
  t.equal(after.length, 2)
})

t.test('71: values that no column can hold are 400, from Fastify, the repository or PostgreSQL', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger, onProtoPoisoning: 'ignore', onConstructorPoisoning: 'ignore' } })
  const strict = await build(t)
  for (const each of [server, strict]) each.post('/users', (request) => request.repo(users).create(bodyOf(request)))
  server.post('/drizzle', (request) => request.db.drizzle.insert(users).values(bodyOf(request)).returning())
  server.get<{ Params: { id: string } }>('/users/:id', (request) => request.repo(users).getOrThrow(Number(request.params.id)))
  server.get<{ Params: { id: string } }>('/sql/:id', async (request) => { await request.db.execute(sql`select * from users where id = ${request.params.id}`) })

  const poisoned = ['{"email":"x","__proto__":{"balance":9}}', '{"email":"x","constructor":{"prototype":{"balance":9}}}']
  const unfit = [
    '{"email":"\\u0000"}', '{"email":"\\ud800"}', '{"email":"x","balance":2147483648}', '{"email":"x","balance":"many"}',
    '{"email":"x","balance":1e300}'
  ]
  for (const body of [...poisoned, ...unfit]) t.match((await send(server, '/users', body)).json(), { statusCode: 400, code: 'DB_VALIDATION' }, body)
  for (const body of poisoned) t.match((await send(strict, '/users', body)).json(), { statusCode: 400 }, body)
  // Without the repository, PostgreSQL itself refuses these values: 22021, 22003, 22P02.
  for (const body of ['{"email":"\\u0000"}', '{"email":"x","balance":2147483648}', '{"email":"x","balance":"many"}']) {
    t.match((await send(server, '/drizzle', body)).json(), { statusCode: 400, code: 'DB_VALIDATION' }, body)
  }
  const urls = ['/users/2147483648', '/users/1e400', '/users/x', '/sql/2147483648', '/sql/x', '/sql/%00']
  for (const url of urls) t.match((await server.inject({ url })).json(), { statusCode: 400, code: 'DB_VALIDATION' }, url)

  t.equal(Reflect.get({}, 'balance'), undefined, 'no prototype was changed')
  t.equal(await server.db.repo(users).count() + await strict.db.repo(users).count(), 0)
  t.equal(log.lines(40).length, 0)
})

t.test('71: 40,000 rows are too many for a body, or written in several statements of one transaction', async (t) => {
  const rows = (length: number) => Array.from({ length }, (_, n) => ({ email: `user-${n}@example.com` }))
  const small = await build(t)
  const large = await build(t, { server: { bodyLimit: 4 * 1024 * 1024 } })
  for (const server of [small, large]) server.post('/users', async (request) => (await request.repo(users).createMany(bodyOf(request))).length)

  t.equal((await send(small, '/users', JSON.stringify(rows(40_000)))).statusCode, 413)
  t.match(await send(large, '/users', JSON.stringify([...rows(40_000), { email: 'user-7@example.com' }])), { statusCode: 409 }, 'the last one is taken')
  t.equal(await large.db.repo(users).count(), 0, 'all or none')
  t.match(await send(large, '/users', JSON.stringify(rows(40_000))), { statusCode: 200, body: '40000' })
  t.equal(await large.db.repo(users).count(), 40_000)
})

t.test('73: no call reads, lists, counts, updates or deletes a soft-deleted row', async (t) => {
  const server = await build(t)
  await beside(server.db, 'create table notes (id integer primary key generated always as identity, title text not null, "deletedAt" timestamptz(3))')
  server.get<{ Params: { id: number } }>('/notes/:id', (request) => request.repo(notes).getOrThrow(Number(request.params.id)))
  server.get('/notes', async (request) => ({ rows: await request.repo(notes).getAll(), count: await request.repo(notes).count() }))
  server.patch<{ Params: { id: number } }>('/notes/:id', (request) => request.repo(notes).updateOrThrow(Number(request.params.id), { title: 'changed' }))
  server.delete<{ Params: { id: number } }>('/notes/:id', (request) => request.repo(notes).deleteOrThrow(Number(request.params.id)))
  const { id } = await server.db.repo(notes).create({ title: 'secret' })
  await server.db.repo(notes).softDelete(id)

  for (const method of ['GET', 'PATCH', 'DELETE'] as const) {
    t.match((await server.inject({ method, url: `/notes/${id}` })).json(), { statusCode: 404, code: 'DB_NOT_FOUND' }, method)
  }
  t.strictSame((await server.inject('/notes')).json(), { rows: [], count: 0 })
  t.match(await beside(server.db, 'select title from notes'), [{ title: 'secret' }], 'it is still there')
})
