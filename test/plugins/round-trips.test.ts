import { createHook } from 'node:async_hooks'
import { PgDialect } from 'drizzle-orm/pg-core'
import t from 'tap'
import { users } from '../helpers/schema.js'
import { build } from '../helpers/server.js'
import { clientsOf } from '../helpers/watch.js'
import type { FastifyInstance } from 'fastify'

interface Writing {
  readonly connection: { readonly stream: { write (bytes: unknown): boolean } }
}

const routes = { '/none': 0, '/read': 1, '/list': 1, '/create': 2, '/create-many': 2, '/nested': 3, '/change': 3, '/transfer': 3, '/page': 3, '/cursor': 1, '/stream': 2 }

/** A server with one connection that has already answered each route once. */
async function buildWarm (t: Parameters<typeof build>[0]): Promise<FastifyInstance> {
  const server = await build(t, { pool: { size: 1, maxOverflow: 0 } })
  server.get('/none', async () => 'nothing')
  server.get('/read', (request) => request.repo(users).getOrThrow(1))
  server.get('/list', (request) => request.repo(users).getAll({ limit: 20, orderBy: { email: 'asc' } }))
  server.get('/create', (request) => request.repo(users).create({ email: `${Math.random()}` }))
  server.get('/create-many', (request) => request.repo(users).createMany([{ email: `${Math.random()}` }, { email: `${Math.random()}` }]))
  server.get('/nested', async (request) => {
    const create = async (): Promise<void> => { await request.transaction((scope) => scope.repo(users).create({ email: `${Math.random()}` })) }
    await create()
    await create()
  })
  server.get('/change', async (request) => {
    const { id, balance } = await request.repo(users).getOrThrow(1)
    return await request.repo(users).update(id, { balance: balance + 1 })
  })
  server.get('/transfer', async (request) => {
    const repo = request.repo(users)
    const [from, to] = await repo.filter({ id: { in: [1, 2] } }, { orderBy: { id: 'asc' }, lock: 'update' })
    return await Promise.all([repo.update(Number(from?.id), { balance: 1 }), repo.update(Number(to?.id), { balance: 2 })])
  })
  server.get('/page', async (request) => {
    await request.repo(users).get(1, { lock: 'update' })
    return await request.repo(users).paginate({}, { limit: 1 })
  })
  server.get('/cursor', (request) => request.repo(users).cursor({ id: { gt: 0 } }, { orderBy: { email: 'desc' }, limit: 1 }))
  server.get('/stream', async (request) => {
    let read = 0
    for await (const { id } of request.repo(users).stream({}, { batchSize: 1000 })) read += id
    return { read }
  })
  await server.db.repo(users).createMany([{ email: 'ada' }, { email: 'grace' }])
  for (const url of Object.keys(routes)) {
    const { statusCode, payload } = await server.inject(url)
    if (statusCode !== 200) throw new Error(payload)
  }
  return server
}

t.test('a request takes as many round trips as it must, and each of them is one write', async (t) => {
  const server = await buildWarm(t)
  const [client] = clientsOf(server.db.pool) as unknown as Writing[]
  const stream = Object(client).connection.stream as Writing['connection']['stream']
  const write = stream.write.bind(stream)
  let writes = 0
  stream.write = (bytes) => { writes++; return write(bytes) }

  for (const [url, expected] of Object.entries(routes)) {
    writes = 0
    await server.inject(url)
    t.equal(writes, expected, url)
  }
})

t.test('after the first time no statement is built', async (t) => {
  const server = await buildWarm(t)
  const { sqlToQuery } = PgDialect.prototype
  let built = 0
  PgDialect.prototype.sqlToQuery = function (...given) { built++; return sqlToQuery.apply(this, given) }
  t.teardown(() => { PgDialect.prototype.sqlToQuery = sqlToQuery })

  for (const url of Object.keys(routes)) await server.inject(url)

  t.equal(built, 0)
})

/** How many promises a request makes at most, besides those of one without a query. */
const promises = { '/read': 5, '/list': 4, '/create': 22, '/change': 33, '/transfer': 42 }

t.test('a request makes as many promises as it must', async (t) => {
  const server = await buildWarm(t)
  let made = 0
  const hook = createHook({ init: (_id, type) => { if (type === 'PROMISE') made++ } }).enable()
  t.teardown(async () => { hook.disable() })
  /** The smallest number of some requests: something else may run beside one. */
  const countOf = async (url: string): Promise<number> => {
    let least = Infinity
    for (let request = 0; request < 10; request++) {
      const before = made
      await server.inject(url)
      least = Math.min(least, made - before)
    }
    return least
  }
  const none = await countOf('/none')
  for (const [url, most] of Object.entries(promises)) {
    const count = await countOf(url) - none
    t.ok(count <= most, `${url} makes ${count}`)
  }
})
