import swagger from '@fastify/swagger'
import Fastify from 'fastify'
import { sql } from 'drizzle-orm'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import { once } from 'node:events'
import { get } from 'node:http'
import { Readable } from 'node:stream'
import t from 'tap'
import { SerializationFailureError, listQuery, softDelete } from '../../plugins/index.js'
import { connectionsOf } from '../helpers/connections.js'
import { build } from '../helpers/server.js'
import { users } from '../helpers/schema.js'
import { recordLog } from '../helpers/log-stream.js'
import { until } from '../helpers/until.js'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { BuildOptions } from '../helpers/server.js'
import type { Test } from '../helpers/test.js'

/** Refused before anything is sent. */
const none = { acquired: 0, destroyed: 0 }

const people = pgTable('people', { id: integer().primaryKey(), name: text().notNull(), age: integer(), isAdmin: integer('is_admin'), ...softDelete() })

const list = listQuery(people, {
  filterable: { name: ['eq', 'contains'], age: ['eq', 'gte', 'lte'] }, sortable: ['age', 'name'], searchable: ['name'], maxLimit: 5
})

async function buildLists (t: Test, options: BuildOptions = {}): Promise<FastifyInstance> {
  const server = await build(t, options)
  await server.db.execute(sql`create table people (id integer primary key, name text not null, age integer, is_admin integer, "deletedAt" timestamptz(3))`)
  await server.db.execute(sql`insert into people select n, 'P' || n, n % 7, n % 2, case when n > 10 then now() end from generate_series(1, 12) n`)
  const schema = { querystring: list.schema }
  server.get('/people', { schema }, (request) => request.repo(people).cursor(...list.cursor(request.query)))
  server.get('/pages', { schema }, (request) => request.repo(people).paginate(...list.paginate(request.query)))
  server.get('/rows', { schema }, (request) => request.repo(people).filter(...list.filter(request.query)))
  server.get('/raw', (request) => request.repo(people).filter(...list.filter(request.query)))
  return server
}

t.test('a list endpoint filters, sorts and pages by its query string', async (t) => {
  const server = await buildLists(t)
  const first = (await server.inject('/people?sort=-age,name&limit=3&age[lte]=5')).json()
  t.same(first.items.map(({ id }: { id: number }) => id), [5, 4, 10])
  const second = (await server.inject(`/people?sort=-age,name&limit=3&age[lte]=5&after=${first.next}`)).json()
  t.same(second.items.map(({ id }: { id: number }) => id), [3, 2, 9])
  const back = (await server.inject(`/people?sort=-age,name&limit=3&age[lte]=5&before=${second.previous}`)).json()
  t.same(back.items, first.items)
  t.match((await server.inject('/pages?page=2')).json(), { items: { length: 5 }, page: 2, limit: 5, total: 10, pages: 2 })
  t.match((await server.inject('/rows?name%5Bcontains%5D=1')).json(), [{ id: 1 }, { id: 10 }])
  t.match((await server.inject('/rows?search=p1')).json(), [{ id: 1 }, { id: 10 }])
})

t.test('66: an undeclared order is 400', async (t) => {
  const server = await buildLists(t)
  const connections = connectionsOf(server.db)
  for (const sort of ['id;select pg_sleep(9)', 'constructor', '__proto__', 'enableRLS', 'id', 'isAdmin', 'name,', '-', 'name asc', 'age,age']) {
    for (const path of ['/people', '/pages', '/rows', '/raw']) t.equal((await server.inject(`${path}?sort=${encodeURIComponent(sort)}`)).statusCode, 400, sort)
  }
  t.strictSame(connections(), none)
})

t.test('67: a filter with an undeclared column or operator, nested or repeated, is 400', async (t) => {
  const server = await buildLists(t)
  const connections = connectionsOf(server.db)
  for (const query of ['isAdmin=1', 'id=1', 'name[ne]=x', 'name[like]=%25', 'age[gt]=1', 'deletedAt[isNull]=false', '__proto__=x', 'constructor=x', '__proto__[name]=x',
    'name[contains][x]=1', 'name[]=x', 'name=a&name=b', 'age=1&age=2', 'and[0][name]=x', 'or=x', 'name.eq=x', 'age=one', 'filter={"isAdmin":1}']) {
    for (const path of ['/people', '/pages', '/rows', '/raw']) t.equal((await server.inject(`${path}?${query}`)).statusCode, 400, `${path} ${query}`)
  }
  t.equal(Object.getOwnPropertyDescriptor(Object.prototype, 'name'), undefined)
  t.strictSame(connections(), none)
})

t.test('the error about an undeclared parameter names it, where Fastify validates and where listQuery does', async (t) => {
  const server = await buildLists(t)
  for (const path of ['/people', '/pages', '/rows']) {
    t.match((await server.inject(`${path}?colour=red`)).json(), { code: 'FST_ERR_VALIDATION', message: 'querystring/colour must NOT be valid' })
  }
  t.match((await server.inject('/raw?colour=red')).json(), { code: 'DB_VALIDATION', message: /"colour"/ })
})

t.test('67: nested objects of another parser are refused as well', async (t) => {
  const server = await buildLists(t, { server: { routerOptions: { querystringParser: () => ({ name: { contains: 'P' } }) } } })
  for (const path of ['/people', '/raw']) t.equal((await server.inject(`${path}?x`)).statusCode, 400)
})

t.test('68: no limit or page but whole numbers within bounds', async (t) => {
  const server = await buildLists(t)
  const connections = connectionsOf(server.db)
  for (const value of ['-1', 'NaN', '1e12', '1;drop', '0', '6', 'Infinity', '1.5', '9'.repeat(30)]) {
    for (const path of ['/people', '/pages', '/rows', '/raw']) t.equal((await server.inject(`${path}?limit=${value}`)).statusCode, 400, value)
  }
  for (const value of ['-1', 'NaN', '1e300', '0', '1;drop']) t.equal((await server.inject(`/pages?page=${value}`)).statusCode, 400, value)
  t.strictSame(connections(), none)
  for (const path of ['/rows', '/raw']) t.equal((await server.inject(path)).json().length, 5, 'never no limit')
  for (const path of ['/people', '/pages']) t.equal((await server.inject(path)).json().items.length, 5, 'never no limit')
})

t.test('70: a query string cannot reach undeclared columns or options', async (t) => {
  const server = await buildLists(t)
  const connections = connectionsOf(server.db)
  for (const query of ['columns=isAdmin', 'lock=update', 'skip=1', 'withDeleted=true', 'deletedAt=x', 'with=posts', 'all=true', 'tenantId=1']) {
    for (const path of ['/people', '/pages', '/rows', '/raw']) t.equal((await server.inject(`${path}?${query}`)).statusCode, 400, query)
  }
  t.strictSame(connections(), none)
})

t.test('72: wildcards in a search field mean themselves', async (t) => {
  const server = await buildLists(t)
  for (const query of ['search=%25', 'search=_', 'name[contains]=%25', 'name[contains]=P_']) t.same((await server.inject(`/rows?${query}`)).json(), [], query)
})

t.test('73: a deleted row is in no list, page, total or stream', async (t) => {
  const server = await buildLists(t)
  server.get('/stream', async (request) => {
    const ids: number[] = []
    for await (const { id } of request.repo(people).stream()) ids.push(id)
    return ids
  })
  t.equal((await server.inject('/pages')).json().total, 10)
  t.same((await server.inject('/rows?name=P12')).json(), [])
  t.same((await server.inject('/people?name=P12')).json().items, [])
  t.same((await server.inject('/stream')).json(), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
})

t.test('a damaged cursor, and one of another list, is answered 400', async (t) => {
  const server = await buildLists(t)
  const { next } = (await server.inject('/people?limit=2&sort=age')).json()
  t.equal((await server.inject(`/people?limit=2&sort=age&after=${next}`)).statusCode, 200)
  for (const query of [
    `sort=name&after=${next}`, `sort=age&age=1&after=${next}`, `sort=age&after=${next.slice(1)}`, 'sort=age&after=', 'sort=age&before=x',
    `sort=age&after=${next}&before=${next}`
  ]) {
    t.match((await server.inject(`/people?${query}`)).json(), { statusCode: 400, code: 'DB_VALIDATION' }, query)
  }
})

t.test('OpenAPI shows the parameters of a list', async (t) => {
  const server = await buildLists(t, { before: async (server) => { await server.register(swagger, { openapi: {} }) } })
  await server.ready()
  const parameters = Object(server.swagger()).paths['/people'].get.parameters as Array<{ name: string, in: string, schema: unknown }>
  t.same(parameters.map(({ name }) => name), ['name', 'name[contains]', 'age', 'age[lte]', 'age[gte]', 'sort', 'search', 'limit', 'page', 'after', 'before'])
  t.match(parameters.find(({ name }) => name === 'limit'), { in: 'query', schema: { type: 'integer', minimum: 1, maximum: 5, default: 5 } })
})

/** Rows as lines, from a stream that was opened before the commit and is read after it. */
function serveStream (server: FastifyInstance, url: string, filter?: ReturnType<typeof sql>): void {
  server.get(url, async (request, reply) => {
    await request.repo(users).create({ email: `${request.id}@example.com` })
    const rows = request.repo(users).stream(filter, { batchSize: 50 })
    reply.type('text/plain')
    return Readable.from(lines(rows))
  })
}

async function * lines (rows: AsyncIterable<{ email: string }>): AsyncGenerator<string> {
  for await (const { email } of rows) yield `${email} ${'x'.repeat(2000)}\n`
}

const fill = sql`insert into users (email) select 'u' || n from generate_series(1, 5000) n`

t.test('28: rows are streamed after the commit over a read-only connection, which is released', async (t) => {
  const server = await build(t, { pool: { size: 1, maxOverflow: 0 } })
  await server.db.execute(fill)
  serveStream(server, '/rows')
  const { statusCode, body } = await server.inject('/rows')
  t.equal(statusCode, 200)
  t.equal(body.split('\n').length - 1, 5001, 'with the row of the request')
  t.equal(server.db.poolInfo.inUse, 0)
})

t.test('28: a client that leaves ends its stream, between two batches and in the middle of one', async (t) => {
  const server = await build(t)
  await server.db.execute(fill)
  serveStream(server, '/rows')
  serveStream(server, '/slow', sql`${users.id} < 60 or pg_sleep(30) is not null`)
  await server.listen({ port: 0 })
  const { port } = server.server.address() as AddressInfo
  for (const path of ['rows', 'slow']) {
    const client = get(`http://127.0.0.1:${port}/${path}`)
    client.on('error', () => {})
    const [response] = await once(client, 'response')
    response.on('error', () => {})
    await once(response, 'data')
    t.equal(server.db.poolInfo.inUse, 1)
    client.destroy()
    await until(() => server.db.poolInfo.inUse === 0)
  }
})

t.test('28: a stream that fails before its first row is a 500, later a reply that is cut', async (t) => {
  const server = await build(t)
  await server.db.execute(fill)
  serveStream(server, '/early', sql`1 / (${users.id} - 1) < 9`)
  serveStream(server, '/late', sql`1 / (${users.id} - 400) < 9`)
  t.equal((await server.inject('/early')).statusCode, 500)
  const { port } = (await server.listen({ port: 0 }), server.server.address() as AddressInfo)
  const [response] = await once(get(`http://127.0.0.1:${port}/late`), 'response')
  response.resume()
  await t.rejects(once(response, 'end'), { code: 'ECONNRESET' })
  t.equal(response.statusCode, 200)
  await until(() => server.db.poolInfo.inUse === 0)
})

t.test('a stream that a handler abandons ends with its request, also in a failed attempt', async (t) => {
  const server = await build(t)
  await server.db.execute(fill)
  server.get('/forgotten', async (request) => {
    await request.repo(users).stream().next()
    return { inUse: server.db.poolInfo.inUse }
  })
  let attempts = 0
  server.get('/again', { config: { transaction: { retries: 1 } } }, async (request) => {
    const inUse = server.db.poolInfo.inUse
    if (attempts++ > 0) return { inUse }
    await request.repo(users).stream().next()
    throw new SerializationFailureError()
  })
  t.same((await server.inject('/forgotten')).json(), { inUse: 1 })
  await until(() => server.db.poolInfo.inUse === 0)
  t.same((await server.inject('/again')).json(), { inUse: 0 })
  t.equal(attempts, 2)
  await until(() => server.db.poolInfo.inUse === 0)
})

t.test('a list cut by the default limit is logged, once for each route and table', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger }, repository: { defaultLimit: 10, maxLimit: 50 } })
  await server.db.execute(sql`insert into users (email, balance) select 'u' || n, n from generate_series(1, 11) n`)
  const few = { balance: { lte: 10 } }
  server.get('/all', (request) => request.repo(users).getAll())
  server.get('/undefined', (request) => request.repo(users).getAll({ limit: undefined, skip: 0, orderBy: { id: 'desc' } } as never))
  server.get('/some', (request) => request.repo(users).filter({ balance: { gt: 0 } }))
  server.get('/locked', (request) => request.repo(users).filter({ balance: { gt: 0 } }, { lock: 'update' }))
  server.get('/whole', (request) => request.repo(users).filter(few))
  server.get('/given', (request) => request.repo(users).getAll({ limit: 10 }))
  server.get('/behind', (request) => request.repo(users).getAll({ skip: 1 }))
  const cuts = () => log.lines(40).map(({ route, table, operation, limit, msg, reqId }) => ({ route, table, operation, limit, msg, reqId }))

  for (const path of ['/whole', '/given', '/behind', '/whole']) t.equal((await server.inject(path)).json().length, 10, path)
  t.strictSame(cuts(), [])

  for (const path of ['/all', '/all', '/undefined', '/some', '/locked', '/some']) t.equal((await server.inject(path)).json().length, 10, path)
  t.equal((await server.db.repo(users).getAll()).length, 10)
  const said = { table: 'users', limit: 10, msg: /default limit.*limit.*cursor\(\).*stream\(\)/, reqId: /^req-/ }
  t.match(cuts(), [
    { ...said, route: 'GET /all', operation: 'getAll' }, {
      ...said, route: 'GET /undefined', operation: 'getAll'
    }, { ...said, route: 'GET /some', operation: 'filter' },
    { ...said, route: 'GET /locked', operation: 'filter' }, { ...said, route: 'database', operation: 'getAll', reqId: undefined }
  ])
  t.equal(cuts().length, 5)
})

t.test('a list that locks its rows locks none that it does not give', async (t) => {
  const server = await build(t, { repository: { defaultLimit: 2, maxLimit: 50 } })
  await server.db.execute(sql`insert into users (email, balance) select 'u' || n, n from generate_series(1, 3) n`)
  await server.db.transaction(async (one) => {
    t.same((await one.repo(users).getAll({ lock: 'update' })).map(({ balance }) => balance), [1, 2])
    const left = await server.db.transaction((other) => other.repo(users).getAll({ lock: { strength: 'update', skipLocked: true } }))
    t.same(left.map(({ balance }) => balance), [3])
  })
})

t.test('columns of any name are filtered and sorted by, and no others', async (t) => {
  const names = ['größe', 'two-parts', 'a.b', 'x|y', '$(z)', 'sp ace', '漢字', 'plain']
  const odd = pgTable('odd', { id: integer().primaryKey(), ...Object.fromEntries(names.map((name) => [name, integer()])) })
  const list = listQuery(odd, { filterable: Object.fromEntries(names.map((name) => [name, ['eq']])), sortable: names } as object)
  const server = Fastify()
  t.teardown(() => server.close())
  server.get('/', { schema: { querystring: list.schema } }, (request) => list.filter(request.query))
  const ask = (query: Record<string, string>) => server.inject({ url: '/', query })
  for (const name of names) {
    t.match((await ask({ [name]: '7', sort: `-${name}` })).json(), [{ and: [{ [name]: { eq: 7 } }] }, { orderBy: { [name]: 'desc' } }], name)
    t.equal((await ask({ [`${name}x`]: '7' })).statusCode, 400)
    t.equal((await ask({ sort: `${name}x` })).statusCode, 400)
  }
  t.equal((await ask({ aXb: '7' })).statusCode, 400)
})
