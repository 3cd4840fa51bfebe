import { sql } from 'drizzle-orm'
import Fastify, { type FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
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
/** What a program without types may write. */
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

t.test('a request that never asks for the database has no session and no listener of ours', async (t) => {
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

t.test('with commit: \'onResponse\' a commit that fails is told to the log, and a reply that fails undoes what it was to commit', async (t) => {
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

t.test('begin: a plain read runs outside the transaction by default, and inside with firstQuery', async (t) => {
  const server = await build(t)
  const outcomes: string[] = []
  server.get('/firstWrite', async (request) => {
    await request.repo(users).getAll()
    outcomes.push(request.db.outcome)
  })
  server.get('/firstQuery', { config: { transaction: { begin: 'firstQuery' } } }, async (request) => {
    await request.repo(users).getAll()
    outcomes.push(request.db.outcome)
  })

  await server.inject('/firstWrite')
  await server.inject('/firstQuery')

  t.strictSame(outcomes, ['none', 'open'])
})

t.test('begin: \'onRequest\' begins before authentication, on matched routes only', async (t) => {
  const server = await build(t, { transaction: { begin: 'onRequest' } })
  const outcomes: Record<string, string> = {}
  server.addHook('onRequest', async (request) => { if (!['/false', '/ws'].includes(request.url)) outcomes[request.url] = request.db.outcome })
  server.get('/matched', async () => 'seen')
  server.get('/later', { config: { transaction: { begin: 'firstWrite' } } }, async () => 'seen')
  server.get('/false', { config: { transaction: false } }, async () => 'seen')

  for (const url of ['/matched', '/later', '/false', '/nowhere']) await server.inject(url)

  t.strictSame(outcomes, { '/matched': 'open', '/later': 'none', '/nowhere': 'none' })
})

t.test('begin: \'onRequest\' may be asked for by one route, and holds for routes declared before register', async (t) => {
  const one = await build(t)
  const outcomes: string[] = []
  one.get('/asks', { config: { transaction: { begin: 'onRequest' } } }, async (request) => { outcomes.push(request.db.outcome) })
  one.get('/does-not', async (request) => { outcomes.push(request.db.outcome) })
  await one.inject('/asks')
  await one.inject('/does-not')
  t.strictSame(outcomes, ['open', 'none'])

  const all = await build(t, {
    transaction: { begin: 'onRequest' },
    before: (server) => { server.get('/before', async (request) => { outcomes.push(request.db.outcome) }) }
  })
  await all.inject('/before')
  t.strictSame(outcomes, ['open', 'none', 'open'])
})

t.test('begin: \'onRequest\' that finds no connection is answered 503, and the handler never runs', async (t) => {
  const server = await build(t, { transaction: { begin: 'onRequest' }, pool: { size: 1, maxOverflow: 0, maxWaiting: 0 } })
  server.get('/', async () => { t.fail('the handler must not run') })
  await server.db.session(async (holder) => {
    await holder.begin()
    t.match((await server.inject('/')).json(), { statusCode: 503, code: 'DB_POOL_TIMEOUT' })
  })
})

t.test('config.transaction: false has no transaction, and refuses request.db by name', async (t) => {
  const server = await build(t)
  server.get('/', { config: { transaction: false } }, async (request) => request.repo(users).getAll())
  server.get('/database', { config: { transaction: false } }, async () => server.db.repo(users).count())

  t.match((await server.inject('/')).json(), { code: 'DB_TRANSACTION_CLOSED', message: /config\.transaction: false: use fastify\.db/ })
  t.equal((await server.inject('/database')).body, '0')
})

t.test('rule 10: request.db is refused for a websocket, which outlives its request', async (t) => {
  const asWebsocket = fp(async (server) => {
    server.decorateRequest('ws', false)
    server.addHook('onRequest', async (request) => { Object.assign(request, { ws: request.headers.upgrade === 'websocket' }) })
  })
  const server = await build(t, { before: async (server) => { await server.register(asWebsocket) }, transaction: { begin: 'onRequest' } })
  server.get('/uses', async (request) => request.repo(users).count())
  server.get('/ignores', async () => 'seen')
  const headers = { upgrade: 'websocket' }

  t.match((await server.inject({ url: '/uses', headers })).json(), { code: 'DB_TRANSACTION_CLOSED', message: /fastify\.db\.session\(\) for each message/ })
  t.match(await server.inject({ url: '/ignores', headers }), { statusCode: 200, body: 'seen' }, 'and nothing begins for one')
  t.match(await server.inject('/uses'), { statusCode: 200, body: '0' })
})

t.test('request.db in an onRequest hook before ours is refused, and tells what to do', async (t) => {
  const server = await build(t, {
    before: (server) => { server.addHook('onRequest', async (request) => { await request.repo(users).count() }) }
  })
  server.get('/', async () => 'seen')

  t.match((await server.inject('/')).json(), {
    code: 'DB_TRANSACTION_CLOSED', message: /register fastify-data-access before the plugins that use it, and use it from the onRequest hook on/
  })
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

t.test('an option that cannot be used is refused at register, by its name', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const wrong: Array<[options: unknown, message: RegExp]> = [
    [{ begin: 'never' }, /^transaction\.begin must be 'firstWrite', 'firstQuery' or 'onRequest'$/],
    [{ commit: 'later' }, /^transaction\.commit must be 'onSend', 'onResponse' or 'atEnd'$/],
    [{ commitOn: 200 }, /^transaction\.commitOn must be a function of the reply and its payload$/],
    [{ isolationLevel: 'snapshot' }, /^transaction\.isolationLevel must be/],
    [{ timeoutMillis: -1 }, /^transaction\.timeoutMillis must be/],
    [{ comitOn: () => true }, /^transaction\.comitOn is no option; there are commit, commitOn, begin, /],
    [false, /^transaction must be an object \(false, for no transaction, only on a route\)$/],
    [null, /^transaction must be an object/],
    [[], /^transaction must be an object/]
  ]
  for (const [options, message] of wrong) {
    const server = Fastify()
    t.teardown(() => server.close())
    await server.register(envPlugin, { connectionString })
    await t.rejects(async () => { await server.register(databasePlugin, { connectionString, transaction: untyped(options) }) }, { message }, String(message))
  }
})

t.test('a route whose config.transaction cannot be used is refused when it is declared, by its name', async (t) => {
  const server = await build(t)
  const handler = async () => 'seen'

  t.throws(() => server.post('/users', { config: { transaction: untyped({ begin: 'never' }) } }, handler),
    { name: 'SettingsError', message: "config.transaction of POST /users cannot be used: transaction.begin must be 'firstWrite', 'firstQuery' or 'onRequest'" })
  for (const transaction of [true, null, 'none', { timeoutMillis: 0 }, { unknown: 1 }]) {
    t.throws(
      () => server.route({ method: ['GET', 'PUT'], url: '/x', config: { transaction: untyped(transaction) }, handler }),
      { message: /^config\.transaction of GET, PUT \/x cannot be used: transaction/ }
    )
  }
})

t.test('the options of a route are not changed', async (t) => {
  const server = await build(t)
  const config = Object.freeze({ transaction: Object.freeze({ begin: 'firstQuery' }) } as const)
  server.get('/', { config }, async (request) => Object.keys(request.routeOptions.config))

  t.strictSame((await server.inject('/')).json(), ['transaction', 'url', 'method'])
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

t.test('a connection that is held for long is told of by its route, never by the URL that was asked for', async (t) => {
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

t.test('a request whose nested transactions did nothing is settled at once, and leaves the async context', async (t) => {
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
