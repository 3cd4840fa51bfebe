import { sql } from 'drizzle-orm'
import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import { databasePlugin, envPlugin, transactionPlugin } from '../../plugins/index.js'
import type { RequestTransactionOptions } from '../../plugins/index.js'
import { createTestDatabase } from '../../src/testing/index.js'
import { recordLog } from '../helpers/log-stream.js'
import { schema, tables, users } from '../helpers/schema.js'
import { build } from '../helpers/server.js'
import { until } from '../helpers/until.js'

const ada = { email: 'ada@example.com' }

const count = (server: FastifyInstance) => server.db.repo(users).count()
/** Options that only a program without types can pass. */
const untyped = (options: unknown) => options as RequestTransactionOptions

t.test('request.db is one session for the whole request, and another one for the next', async (t) => {
  const server = await build(t)
  const seen: unknown[] = []
  server.addHook('preHandler', async (request) => { seen.push(request.db) })
  server.get('/', async (request) => { seen.push(request.db) })

  await server.inject('/')
  await server.inject('/')

  t.equal(seen[0], seen[1])
  t.not(seen[0], seen[2])
})

t.test('a request that never uses the database has no session and no listener of ours', async (t) => {
  const server = await build(t)
  const listeners: number[] = []
  server.get('/without', async (_request, reply) => { listeners.push(reply.raw.listenerCount('close')) })
  server.get('/with', async (request, reply) => {
    await request.db.execute(sql`select 1`)
    listeners.push(reply.raw.listenerCount('close'))
  })

  await server.inject('/without')
  await server.inject('/with')

  t.equal(Number(listeners[1]) - Number(listeners[0]), 1)
})

t.test('request.transaction() is a nested scope of request.db', async (t) => {
  const server = await build(t)
  server.post('/', async (request) => {
    await request.transaction(async (scope) => {
      await scope.repo(users).create(ada)
      scope.rollbackOnly()
    })
    return request.repo(users).create({ email: 'grace' })
  })

  t.equal((await server.inject({ method: 'POST', url: '/' })).statusCode, 200)
  t.strictSame((await server.db.repo(users).getAll()).map(({ email }) => email), ['grace'])
})

t.test('commitOn decides, for the whole server or for one route, and a route\'s word counts more', async (t) => {
  const server = await build(t, { transaction: { commitOn: (reply) => reply.statusCode === 418 } })
  for (const [url, config] of [
    ['/server', {}],
    ['/route', { transaction: { commitOn: () => true } }],
    ['/unsaid', { transaction: { commitOn: undefined } }]
  ] as const) {
    server.post(url, { config }, async (request, reply) => {
      await request.repo(users).create({ email: `${request.url} ${request.headers['x-status']}` })
      return reply.code(Number(request.headers['x-status'])).send()
    })
  }
  for (const url of ['/server', '/route', '/unsaid']) {
    for (const status of ['200', '418']) await server.inject({ method: 'POST', url, headers: { 'x-status': status } })
  }

  t.strictSame((await server.db.repo(users).getAll()).map(({ email }) => email), ['/server 418', '/route 200', '/route 418', '/unsaid 418'])
})

t.test('commitOn that throws, or answers with a promise, rolls back and is answered 500', async (t) => {
  const server = await build(t)
  server.post('/throws', { config: { transaction: { commitOn: () => { throw new Error('a slip') } } } }, (request) => request.repo(users).create(ada))
  server.post('/promises', { config: { transaction: untyped({ commitOn: async () => false }) } }, (request) => request.repo(users).create(ada))

  t.match((await server.inject({ method: 'POST', url: '/throws' })).json(), { statusCode: 500, message: 'a slip' })
  t.match((await server.inject({ method: 'POST', url: '/promises' })).json(), {
    statusCode: 500, code: 'DB_USAGE', message: /^transaction\.commitOn must return true or false/
  })
  t.equal(await count(server), 0)
})

t.test('with commit: \'onResponse\' the reply does not wait, and decides all the same', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger }, transaction: { commit: 'onResponse' } })
  const outcomes: string[] = []
  server.addHook('onResponse', async (request) => { outcomes.push(request.db.outcome) })
  server.post('/:status', async (request, reply) => {
    await request.repo(users).create({ email: request.url })
    return reply.code(Number(Object(request.params).status)).send('x')
  })
  server.post('/undone', async (request) => {
    await request.repo(users).create({ email: 'undone' })
    await request.db.rollback()
  })

  for (const url of ['/200', '/409', '/undone']) {
    await server.inject({ method: 'POST', url })
    await until(() => server.db.poolInfo.inUse === 0)
  }

  t.strictSame(outcomes, ['open', 'rolledBack', 'rolledBack'])
  t.strictSame((await server.db.repo(users).getAll()).map(({ email }) => email), ['/200'])
  t.equal(log.lines(40).length, 0)
})

t.test('with commit: \'onResponse\' a failed commit is logged, and a failed reply rolls back', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger }, transaction: { commit: 'onResponse' } })
  server.post('/fails', async (request) => {
    await request.repo(users).create(ada)
    await request.db.execute(sql`select 1 / 0`).catch(() => {})
    return 'fine'
  })
  server.post('/header', async (request, reply) => {
    await request.repo(users).create(ada)
    return reply.header('x-broken', 'a\nb').send('x')
  })

  t.equal((await server.inject({ method: 'POST', url: '/fails' })).statusCode, 200)
  await until(() => log.lines(50).length > 0)
  t.match(log.lines(50), [{ reqId: 'req-1', msg: 'the commit after the reply failed', err: { code: 'DB_TRANSACTION_ABORTED' } }])
  t.equal((await server.inject({ method: 'POST', url: '/header' })).statusCode, 500)
  await until(() => server.db.poolInfo.inUse === 0)
  t.equal(await count(server), 0)
})

t.test('config.transaction: false has no transaction, and refuses request.db by name', async (t) => {
  const server = await build(t)
  server.get('/', { config: { transaction: false } }, async (request) => request.repo(users).getAll())
  server.get('/database', { config: { transaction: false } }, async () => server.db.repo(users).count())

  t.match((await server.inject('/')).json(), { code: 'DB_TRANSACTION_CLOSED', message: /config\.transaction: false: use fastify\.db/ })
  t.equal((await server.inject('/database')).body, '0')
})

t.test('a child plugin registered before us, with its own hooks, has its requests settled as well', async (t) => {
  const server = await build(t, {
    before: async (server) => {
      await server.register(async (child) => {
        child.addHook('onSend', async (request, reply) => { reply.code(Number(request.headers['x-status'])) })
        child.post('/child', (request) => request.repo(users).create({ email: String(request.headers['x-status']) }))
      })
    }
  })

  for (const status of ['500', '200']) {
    t.equal(
      (await server.inject({ method: 'POST', url: '/child', headers: { 'x-status': status } })).statusCode,
      Number(status)
    )
  }
  t.strictSame((await server.db.repo(users).getAll()).map(({ email }) => email), ['200'])
})

t.test('works alone, with the plugins that it depends on registered before', async (t) => {
  const { connectionString } = await createTestDatabase(t, { sql: tables })
  const server = Fastify()
  t.teardown(() => server.close())
  await t.rejects(async () => { await Fastify().register(transactionPlugin) }, /data-access\/database/)

  await server.register(envPlugin, { connectionString })
  await server.register(databasePlugin, { connectionString, schema })
  await server.register(transactionPlugin)
  server.post('/', (request) => request.db.repo(users).create(ada))

  t.equal((await server.inject({ method: 'POST', url: '/' })).statusCode, 200)
  t.equal(await count(server), 1)
})

t.test('a long checkout is logged with its route, never with the requested URL', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger }, leakWarningSeconds: 0.05 })
  const warned = () => until(() => log.lines(40).some(({ msg }) => msg.includes('held for long')))
  server.get('/users/:id', async (request) => {
    await request.repo(users).create(ada)
    await warned()
    request.db.rollbackOnly()
  })
  server.setNotFoundHandler(async (request) => {
    await request.repo(users).create(ada)
    await until(() => log.lines(40).length === 2)
  })

  await server.inject('/users/7?token=s3cret')
  await server.inject('/nowhere/s3cret')

  t.match(log.lines(40).map(({ holder }) => holder), ['GET /users/:id', 'GET (no route)'])
})

t.test('a request whose nested transactions were empty settles at once, outside the context', async (t) => {
  const server = await build(t)
  const order: string[] = []
  server.get('/', async (request) => {
    await request.transaction((scope) => scope.afterCommit(() => order.push('after')))
    return 'nothing'
  })
  t.match(await server.inject('/'), { statusCode: 200, payload: 'nothing' })
  t.strictSame(order, ['after'])
  t.match(server.db.poolInfo, { total: 1, inUse: 0 })
})
