import Fastify from 'fastify'
import fp from 'fastify-plugin'
import t from 'tap'
import { databasePlugin, envPlugin } from '../../../plugins/index.js'
import type { RequestTransactionOptions } from '../../../plugins/index.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { users } from '../../helpers/schema.js'
import { build } from '../../helpers/server.js'

/** Options that only a program without types can pass. */
const untyped = (options: unknown) => options as RequestTransactionOptions

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

t.test('begin: \'onRequest\' works for one route, and for routes declared before register', async (t) => {
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

t.test('request.db in an earlier onRequest hook is refused with the way out', async (t) => {
  const server = await build(t, {
    before: (server) => { server.addHook('onRequest', async (request) => { await request.repo(users).count() }) }
  })
  server.get('/', async () => 'seen')

  t.match((await server.inject('/')).json(), {
    code: 'DB_TRANSACTION_CLOSED', message: /register fastify-data-access before the plugins that use it, and use it from the onRequest hook on/
  })
})

t.test('an option that cannot be used is refused at register, by its name', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const wrong: Array<[options: unknown, message: RegExp]> = [
    [{ begin: 'never' }, /^transaction\.begin must be 'firstWrite', 'firstQuery' or 'onRequest'$/],
    [{ commit: 'later' }, /^transaction\.commit must be 'onSend', 'onResponse' or 'atEnd'$/],
    [{ commitOn: 200 }, /^transaction\.commitOn must be a function of the reply and its payload$/],
    [{ isolationLevel: 'snapshot' }, /^transaction\.isolationLevel must be/],
    [{ timeoutMillis: -1 }, /^transaction\.timeoutMillis must be/],
    [{ comitOn: () => true }, /^transaction\.comitOn is not an option: use commit, commitOn, begin, /],
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
