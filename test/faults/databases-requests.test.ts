import { Readable } from 'node:stream'
import { sql } from 'drizzle-orm'
import t from 'tap'
import dataAccess from '../../plugins/index.js'
import { createTestDatabase } from '../../src/testing/index.js'
import { unhurried } from '../helpers/database.js'
import { deferred } from '../helpers/deferred.js'
import { holdCommits } from '../helpers/held-commit.js'
import { recordLog } from '../helpers/log-stream.js'
import { users } from '../helpers/schema.js'
import { ask } from '../helpers/streaming.js'
import { running } from '../helpers/backend.js'
import { buildBoth, databaseOf, invoices } from '../helpers/two-databases.js'
import type { FastifyRequest } from 'fastify'
import type { Both } from '../helpers/two-databases.js'
import type { Session } from '../../plugins/index.js'

const post = ({ server }: Both, url = '/') => server.inject({ method: 'POST', url })
const billingOf = (request: FastifyRequest): Session => request.databases['billing'] as Session

let people = 0

/** Writes into both databases. */
async function write (request: FastifyRequest): Promise<void> {
  const email = `${++people}@example.com`
  await request.repo(users).create({ email })
  await request.repo(invoices).create({ email })
}

t.test('134: a stream with commit: \'atEnd\' that both have not committed is broken off', async (t) => {
  const both = await buildBoth(t, { first: { transaction: { commit: 'atEnd' } } })
  both.server.get('/', async (request) => Readable.from((async function * () {
    yield 'one '
    await request.repo(users).create({ email: `${++people}@example.com` })
    yield 'two '
    await request.repo(invoices).create({ email: `${people}@example.com` })
    yield 'three'
  })()))

  t.match(await ask(both.server, '/'), { status: 200, body: 'one two three' })
  both.billing.loseRequest('commit')
  t.match(await ask(both.server, '/'), { status: 200, body: undefined })
  t.strictSame(await both.rows(), { users: 2, invoices: 1 })
})

t.test('135: a client that leaves before the first COMMIT leaves nothing behind, and behind it both', async (t) => {
  const log = recordLog()
  const both = await buildBoth(t, { server: { logger: log.logger } })
  const [writing, left] = [deferred<void>(), deferred<void>()]
  let client = new AbortController()
  const leave = async (request: FastifyRequest): Promise<void> => {
    const closed = new Promise((resolve) => request.raw.socket.once('close', resolve))
    client.abort()
    await closed
  }
  both.server.get('/handler', async (request) => { await write(request); await leave(request) })
  both.server.get('/callback', async (request) => { await write(request); billingOf(request).beforeCommit(() => leave(request)) })
  both.server.get('/commit', async (request) => { await write(request); writing.resolve(); request.raw.socket.once('close', () => left.resolve()) })
  const url = await both.server.listen({ host: '127.0.0.1', port: 0 })
  const go = (path: string) => fetch(`${url}${path}`, { signal: client.signal }).then(() => 'answered', () => 'left')

  for (const path of ['/handler', '/callback']) {
    client = new AbortController()
    t.equal(await go(path), 'left')
  }
  const held = await holdCommits(t, both.server.db)
  client = new AbortController()
  const last = go('/commit')
  await writing.promise
  await held.reached()
  client.abort()
  await left.promise
  await held.release()
  t.equal(await last, 'left')
  await both.server.close()

  t.strictSame(await both.rows(), { users: 1, invoices: 1 })
  t.match(log.lines(40).map(({ msg }) => msg), ['committed, but the client did not get the answer'])
})

t.test('136: handlerTimeout, hijack, routes declared before register and not-found handlers decide for both', async (t) => {
  const hung = deferred<void>()
  const both = await buildBoth(t, {
    server: { handlerTimeout: 300 },
    before: (server) => {
      server.post('/before', async (request) => {
        await write(request)
        return 'done'
      })
    }
  })
  const { server } = both
  const refused: unknown[] = []
  server.post('/slow', async (request) => {
    await write(request)
    await hung.promise
    await request.repo(invoices).create({ email: 'late' }).catch((error) => refused.push(error.code))
  })
  server.post('/hijacked', async (request, reply) => {
    reply.hijack()
    await write(request)
    await billingOf(request).commit()
    await request.repo(users).create({ email: 'late' }).catch((error) => refused.push(error.code))
    reply.raw.end('done')
  })
  server.post('/abandoned', async (request, reply) => {
    reply.hijack()
    await write(request)
    reply.raw.end('done')
  })
  server.setNotFoundHandler(async (request, reply) => { await write(request); return reply.code(request.url === '/made' ? 200 : 404).send('nothing') })

  const results: Record<string, string> = {}
  for (const path of ['/before', '/slow', '/hijacked', '/abandoned', '/made', '/missing']) {
    const before = await both.rows()
    const { statusCode } = await post(both, path)
    const after = await both.rows()
    results[path] = `${statusCode} ${after.users - before.users} ${after.invoices - before.invoices}`
  }
  hung.resolve()
  await server.close()

  t.strictSame(results, { '/before': '200 1 1', '/slow': '503 0 0', '/hijacked': '200 1 1', '/abandoned': '200 0 0', '/made': '200 1 1', '/missing': '404 0 0' })
  t.strictSame(refused, ['DB_TRANSACTION_CLOSED', 'DB_TRANSACTION_CLOSED'])
})

t.test('a raw query of a session goes to its own database', async (t) => {
  const { server } = await buildBoth(t)
  server.get('/', async (request) => {
    const names = await Promise.all([request.db, request.databases.default, billingOf(request)].map(async (session) =>
      (await session.execute<{ name: string }>(sql`select to_regclass('invoices') is not null as name`)).rows[0]?.name))
    return names
  })

  t.strictSame((await server.inject('/')).json(), [false, false, true])
})

t.test('130: rollbackOnly() while the constraints of another database are checked holds for all', async (t) => {
  const both = await buildBoth(t)
  const billing = databaseOf(both.server)
  const written = deferred<Session>()
  both.server.post('/', async (request) => {
    await request.repo(users).create({ email: 'twice' })
    await request.repo(invoices).create({ email: 'twice' })
    written.resolve(billingOf(request))
  })
  const other = billing.createSession()
  await other.repo(invoices).create({ email: 'twice' })

  const reply = post(both)
  const session = await written.promise
  await running(billing, 'set constraints all immediate')
  session.rollbackOnly()
  await other.rollback()

  t.equal((await reply).statusCode, 200)
  t.strictSame(await both.rows(), { users: 0, invoices: 0 })
})

t.test('a database that is first used while the constraints of another are checked is refused, and the commit stands', async (t) => {
  const both = await buildBoth(t)
  await both.server.register(dataAccess, { name: 'third', connectionString: both.first.connectionString })
  const billing = databaseOf(both.server)
  const written = deferred<FastifyRequest>()
  both.server.post('/', async (request) => {
    await request.repo(users).create({ email: 'late' })
    await request.repo(invoices).create({ email: 'late' })
    written.resolve(request)
  })
  const other = billing.createSession()
  await other.repo(invoices).create({ email: 'late' })

  const reply = post(both)
  const request = await written.promise
  await running(billing, 'set constraints all immediate')
  const third = request.databases['third'] as Session
  await t.rejects(third.execute(sql`select 1`), { code: 'DB_TRANSACTION_CLOSED' })
  await other.rollback()

  t.equal((await reply).statusCode, 200)
  t.strictSame([third.outcome, third.isSettled], ['none', true])
  t.strictSame(await both.rows(), { users: 1, invoices: 1 })
})

t.test('131: of three databases, which commit in the order of their registration, the log of a half names each', async (t) => {
  const log = recordLog()
  const both = await buildBoth(t, { server: { logger: log.logger } })
  const { connectionString, database: third } = await createTestDatabase(t, { sql: 'create table entries (email text)' })
  await both.server.register(dataAccess, { name: 'audit', connectionString, ...unhurried })
  both.server.post('/', async (request) => {
    await request.databases['audit']?.execute(sql`insert into entries values ('ada@example.com')`)
    await write(request)
  })

  both.billing.loseRequest('commit')
  t.match((await post(both)).json(), { statusCode: 500, code: 'DB_PARTIAL_COMMIT' })
  t.match(log.lines(50), [{ err: { context: { committed: ['default'], failed: 'billing', rolledBack: ['audit'] } } }])
  t.strictSame(await both.rows(), { users: 1, invoices: 0 })
  t.strictSame((await third.execute(sql`select from entries`)).rows, [])
})
