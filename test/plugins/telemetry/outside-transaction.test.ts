import { setImmediate } from 'node:timers/promises'
import { eq } from 'drizzle-orm'
import t from 'tap'
import { deferred } from '../../helpers/deferred.js'
import { recordLog } from '../../helpers/log-stream.js'
import { users } from '../../helpers/schema.js'
import { build } from '../../helpers/server.js'
import { buildBoth, invoices } from '../../helpers/two-databases.js'
import type { FastifyInstance } from 'fastify'
import type { DataAccessOptions } from '../../../plugins/index.js'
import type { Test } from '../../helpers/test.js'

const isAdvice = ({ msg }: { readonly msg: string }): boolean => msg.includes('beside the open transaction of its request')

async function start (t: Test, options: DataAccessOptions = { warnOutsideTransaction: true }) {
  const log = recordLog()
  const server = await build(t, { ...options, server: { logger: log.logger } })
  return { server, warnings: () => log.lines(40).filter(isAdvice) }
}

const ada = { email: 'ada@example.com' }

function declareMixed (server: FastifyInstance, url = '/mixed'): void {
  server.post(url, async (request) => {
    await request.repo(users).create({ email: `${request.id}@example.com` })
    await setImmediate()
    return { seen: await server.db.repo(users).count() }
  })
}

t.test('a statement over server.db beside the open transaction of its request is one warning for each route, with its lines', async (t) => {
  const { server, warnings } = await start(t)
  declareMixed(server)
  server.post('/drizzle', async (request) => {
    await request.repo(users).create({ email: 'bob@example.com' })
    return await server.db.drizzle.select().from(users).where(eq(users.email, 'x'))
  })

  t.same((await server.inject({ method: 'POST', url: '/mixed' })).json(), { seen: 0 })
  t.match(warnings(), [{ level: 40, route: 'POST /mixed', database: 'default', table: 'users', statement: /^select count/, reqId: /./, stack: /outside-transaction\.test/ }])
  t.equal((await server.inject({ method: 'POST', url: '/mixed' })).statusCode, 200)
  t.equal(warnings().length, 1)
  await server.inject({ method: 'POST', url: '/drizzle' })
  t.match(warnings()[1], { route: 'POST /drizzle', statement: /^select .* where/ })
})

t.test('no warning where nothing is open, or another transaction is meant', async (t) => {
  const { server, warnings } = await start(t)
  server.get('/before', async (request) => [await server.db.repo(users).count(), await request.repo(users).count(), await server.db.repo(users).count()])
  server.get('/none', { config: { transaction: false } }, () => server.db.repo(users).count())
  server.post('/meant', async (request) => {
    await request.repo(users).create(ada)
    await server.db.transaction((session) => session.repo(users).create({ email: 'log@example.com' }))
    await request.transaction((scope) => scope.repo(users).count())
    return await request.repo(users).count()
  })
  server.post('/after', async (request) => {
    await request.repo(users).create({ email: 'eve@example.com' })
    await request.db.commit()
    return await server.db.repo(users).count()
  })
  for (const url of ['/before', '/none', '/meant', '/after']) {
    t.equal((await server.inject({ method: url === '/meant' || url === '/after' ? 'POST' : 'GET', url })).statusCode, 200, url)
  }
  t.equal(await server.db.repo(users).count(), 3)
  t.same(warnings(), [])
})

t.test('another request, and work that no request started, are not warned of', async (t) => {
  const { server, warnings } = await start(t)
  const written = deferred()
  const counted = deferred()
  server.post('/slow', async (request) => {
    await request.repo(users).create(ada)
    written.resolve(undefined)
    await counted.promise
    return {}
  })
  server.get('/other', () => server.db.repo(users).count())
  const slow = server.inject({ method: 'POST', url: '/slow' })
  await written.promise
  await server.inject('/other')
  await server.db.repo(users).count()
  counted.resolve(undefined)
  t.equal((await slow).statusCode, 200)
  t.same(warnings(), [])
})

t.test('each database counts by itself', async (t) => {
  const log = recordLog()
  const { server } = await buildBoth(t, { first: { warnOutsideTransaction: true }, server: { logger: log.logger } })
  const billing = server.databases['billing']
  server.post('/first', async (request) => {
    await request.repo(users).create(ada)
    return await billing?.repo(invoices).count()
  })
  server.post('/billing', async (request) => {
    await request.repo(invoices).create(ada)
    return [await server.db.repo(users).count(), await billing?.repo(invoices).count()]
  })
  for (const url of ['/first', '/billing']) t.equal((await server.inject({ method: 'POST', url })).statusCode, 200)
  t.match(log.lines(40).filter(isAdvice), [{ route: 'POST /billing', database: 'billing', table: 'invoices' }])
})

t.test('NODE_ENV=development asks for it, and the option goes before that', async (t) => {
  const { NODE_ENV: before } = process.env
  t.teardown(() => { if (before === undefined) delete process.env['NODE_ENV']; else process.env['NODE_ENV'] = before })
  const counts = []
  for (const [environment, options] of [['development', {}], ['development', { warnOutsideTransaction: false }], ['production', {}], ['test', {}]] as const) {
    process.env['NODE_ENV'] = environment
    const { server, warnings } = await start(t, options)
    declareMixed(server)
    await server.inject({ method: 'POST', url: '/mixed' })
    counts.push(warnings().length)
  }
  t.same(counts, [1, 0, 0, 0])
})

t.test('it cannot be given for a database with a name', async (t) => {
  await t.rejects(buildBoth(t, { billing: { warnOutsideTransaction: true } }), { setting: 'warnOutsideTransaction', message: /it watches the statements of all databases/ })
})
