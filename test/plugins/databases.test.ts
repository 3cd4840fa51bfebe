import { Readable } from 'node:stream'
import t from 'tap'
import { sql } from 'drizzle-orm'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import { Repository } from '../../plugins/index.js'
import { users } from '../helpers/schema.js'
import { buildBoth, databaseOf, invoices } from '../helpers/two-databases.js'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Session } from '../../plugins/index.js'

const ada = { email: 'ada@example.com' }

/** The same table, which is in no schema: it is looked for in the first database. */
const unlisted = pgTable('users', { id: integer().primaryKey().generatedAlwaysAsIdentity(), email: text().notNull() })

class InvoiceRepository extends Repository.of(invoices) {
  bill (email: string) { return this.create({ email, amount: 7 }) }
}

const post = (server: FastifyInstance, url = '/') => server.inject({ method: 'POST', url })
const billingOf = (request: FastifyRequest): Session => request.databases['billing'] as Session

t.test('request.repo() finds the database by the table, and one reply commits both', async (t) => {
  const { server, rows } = await buildBoth(t)
  server.post('/', async (request, reply) => {
    const user = await request.repo(unlisted).create(ada)
    const invoice = await request.repo(InvoiceRepository).bill(user.email)
    return reply.code(201).send({ user: user.email, ...invoice })
  })

  t.match((await post(server)).json(), { user: ada.email, id: 1, amount: 7 })
  t.strictSame(await rows(), { users: 1, invoices: 1 })
  t.equal(await server.databases.default.repo(users).count(), 1)
  t.equal(await databaseOf(server).repo(invoices).count(), 1)
  t.equal(server.databases.default, server.db)
  t.strictSame(Object.keys(server.databases), ['default', 'billing'])
})

t.test('an error, a refusing status, and rollbackOnly() of one database roll both back', async (t) => {
  const { server, rows } = await buildBoth(t)
  const ways: Record<string, (request: FastifyRequest) => unknown> = {
    error: () => { throw new Error('no') },
    first: (request) => { request.db.rollbackOnly() },
    second: (request) => { billingOf(request).rollbackOnly() },
    byHand: async (request) => { await billingOf(request).rollback() },
    swallowed: async (request) => { await billingOf(request).execute(sql`select 1/0`).catch(() => {}) },
    left: async (request) => { request.transaction(() => new Promise(() => {})); await billingOf(request).rollback() },
    later: (request) => { request.repo(invoices).create({ email: 'not awaited' }).then(() => request.db.rollbackOnly()) },
    vetoed: (request) => { billingOf(request).beforeCommit(() => { throw new Error('no') }) }
  }
  for (const [name, way] of Object.entries(ways)) {
    server.post(`/${name}`, async (request) => {
      await request.repo(users).create(ada)
      await request.repo(invoices).create(ada)
      await way(request)
      return 'done'
    })
  }

  const statuses: Record<string, number> = {}
  for (const name of Object.keys(ways)) statuses[name] = (await post(server, `/${name}`)).statusCode

  t.strictSame(statuses, { error: 500, first: 200, second: 200, byHand: 200, swallowed: 500, left: 200, later: 200, vetoed: 500 })
  t.strictSame(await rows(), { users: 0, invoices: 0 })
})

t.test('a callback before the commit may write into any database, also one that was not used before', async (t) => {
  const { server, rows } = await buildBoth(t)
  server.post('/', async (request) => {
    await request.repo(users).create(ada)
    request.db.beforeCommit(async () => {
      await request.repo(invoices).create(ada)
      billingOf(request).beforeCommit(async () => { await request.repo(users).create({ email: 'grace' }) })
    })
    return 'done'
  })

  t.equal((await post(server)).statusCode, 200)
  t.strictSame(await rows(), { users: 2, invoices: 1 })
})

t.test('a request that only reads commits at once, and calls its callbacks', async (t) => {
  const { server } = await buildBoth(t)
  const ran: string[] = []
  server.get('/', async (request) => {
    billingOf(request).afterCommit(() => { ran.push('committed') })
    return { outcome: billingOf(request).outcome, rows: await request.repo(invoices).getAll(), settled: request.db.isSettled }
  })
  server.get('/refused', async (request, reply) => {
    request.db.rollbackOnly()
    return reply.code(400).send(request.db.outcome)
  })
  server.get('/stream', async (request) => {
    await request.repo(invoices).create(ada)
    return Readable.from(['streamed'])
  })

  t.strictSame((await server.inject('/')).json(), { outcome: 'none', rows: [], settled: false })
  t.strictSame(ran, ['committed'])
  t.equal((await server.inject('/refused')).body, 'none')
  t.equal((await server.inject('/stream')).body, 'streamed')
})

t.test('what comes after the decision is refused in every database, also in one that was not used before', async (t) => {
  const { server, rows } = await buildBoth(t)
  const codes: unknown[] = []
  const late = (request: FastifyRequest) => request.repo(invoices).create(ada).catch((error) => { codes.push(error.code) })
  server.post('/committed', async (request) => {
    await request.db.commit()
    await late(request)
    return 'done'
  })
  server.post('/undone', async (request) => {
    await request.db.rollback()
    await late(request)
    await request.db.commit().catch((error) => { codes.push(error.code) })
    return 'done'
  })
  server.post('/late', async (request, reply) => {
    reply.raw.once('close', () => { late(request).then(told) })
    return 'done'
  })
  let told = () => {}
  const after = new Promise<void>((resolve) => { told = resolve })

  for (const url of ['/committed', '/undone', '/late']) await post(server, url)
  await after

  t.strictSame(codes, Array(4).fill('DB_TRANSACTION_CLOSED'))
  t.strictSame(await rows(), { users: 0, invoices: 0 })
})

t.test('a database that is first used after a commit was given up is refused', async (t) => {
  const { server, rows } = await buildBoth(t)
  const outcomes: unknown[] = []
  const ways: Record<string, (session: Session) => void> = {
    rollbackOnly: (session) => session.rollbackOnly(),
    callback: (session) => session.beforeCommit(() => { throw new Error('no') })
  }
  for (const [name, way] of Object.entries(ways)) {
    server.post(`/${name}`, async (request) => {
      await request.repo(users).create(ada)
      way(request.db)
      await request.db.commit().catch(() => {})
      outcomes.push(await request.repo(invoices).create(ada).catch((error) => error.code))
    })
  }

  for (const name of Object.keys(ways)) await post(server, `/${name}`)
  t.strictSame(outcomes, Array(2).fill('DB_TRANSACTION_CLOSED'))
  t.strictSame(await rows(), { users: 0, invoices: 0 })
})

t.test('the options of a route hold in each database, before those of its registration', async (t) => {
  const { server } = await buildBoth(t, { billing: { transaction: { isolationLevel: 'repeatable read' } } })
  const levels = async (request: FastifyRequest) => Promise.all([request.db, billingOf(request)].map(async (session) =>
    (await session.execute<{ level: string }>(sql`select current_setting('transaction_isolation') as level`)).rows[0]?.level))
  server.get('/', levels)
  server.get('/route', { config: { transaction: { isolationLevel: 'serializable', begin: 'onRequest' } } }, levels)
  server.get('/none', { config: { transaction: false } }, levels)

  t.strictSame((await server.inject('/')).json(), ['read committed', 'repeatable read'])
  t.strictSame((await server.inject('/route')).json(), ['serializable', 'serializable'])
  t.match((await server.inject('/none')).json(), { code: 'DB_TRANSACTION_CLOSED' })
})
