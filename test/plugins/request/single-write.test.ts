import { sql } from 'drizzle-orm'
import type { FastifyInstance, FastifyReply } from 'fastify'
import t from 'tap'
import { deferred } from '../../helpers/deferred.js'
import { holdCommits } from '../../helpers/held-commit.js'
import { recordLog } from '../../helpers/log-stream.js'
import { requestText, sendRaw } from '../../helpers/raw-client.js'
import { openReplicated, startReplicated } from '../../helpers/replicas.js'
import { users } from '../../helpers/schema.js'
import { build, buildByProxy } from '../../helpers/server.js'
import { buildBoth } from '../../helpers/two-databases.js'
import { until } from '../../helpers/until.js'

const ada = { email: 'ada@example.com' }
const config = { transaction: { single: true } } as const
const count = (server: FastifyInstance): Promise<number> => server.db.repo(users).count()
const post = (server: FastifyInstance, url = '/') => server.inject({ method: 'POST', url })

t.test('the row is committed before the reply, and afterCommit callbacks run', async (t) => {
  const server = await build(t)
  const called: string[] = []
  server.post('/', { config }, async (request, reply) => {
    request.db.afterCommit(() => { called.push('afterCommit') })
    const user = await request.repo(users).create(ada)
    t.equal(await count(server), 1, 'others see it already')
    return reply.code(201).send(user)
  })
  t.match(await post(server), { statusCode: 201 })
  t.strictSame(called, ['afterCommit'])
  t.match(await post(server), { statusCode: 409 })
  t.strictSame(called, ['afterCommit'], 'nothing was saved')
})

t.test('a handler, a status or a serialization that fails behind the write does not undo it: the reply is the error, and a line says so', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  const called: string[] = []
  const schema = { response: { 201: { type: 'object', required: ['missing'], properties: { missing: { type: 'string' } } } } }
  const route = (url: string, fail: (reply: FastifyReply) => unknown) => server.post(url, { config, schema }, async (request, reply) => {
    request.db.afterCommit(() => { called.push(url) })
    await request.repo(users).create({ email: url })
    return fail(reply)
  })
  route('/throws', () => { throw new Error('too late') })
  route('/status', (reply) => reply.code(422).send({ no: 'thanks' }))
  route('/shape', (reply) => reply.code(201).send({ other: 1 }))

  t.match([(await post(server, '/throws')).statusCode, (await post(server, '/status')).statusCode, (await post(server, '/shape')).statusCode], [500, 422, 500])
  t.equal(await count(server), 3)
  t.strictSame(called, ['/throws', '/status', '/shape'])
  t.strictSame(log.lines(40).filter(({ level }) => level === 40).map(({ msg }) => msg), [
    'answered 500, and the single write stays', 'answered 422, and the single write stays', 'answered 500, and the single write stays'
  ])
})

t.test('a second write is a 500 that names the way out in the log, and is not sent', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  server.post('/', { config }, async (request) => {
    await request.repo(users).create(ada)
    await request.repo(users).create({ email: 'grace' }).catch(() => {})
    return 'both'
  })
  server.post('/dry', { config }, async (request) => {
    request.db.rollbackOnly()
  })
  t.match(await post(server), { statusCode: 500, payload: /DB_USAGE/ })
  t.match(await post(server, '/dry'), { statusCode: 500, payload: /DB_USAGE/ })
  t.match(log.text, /A second write needs a transaction.*Leave that option out here.*rollbackOnly\(\) needs a transaction/s)
  t.equal(await count(server), 1)
})

t.test('19: a connection that is lost in the write is a 500 DB_COMMIT_UNKNOWN, also if the handler catches it', async (t) => {
  const { server, proxy } = await buildByProxy(t)
  server.post('/', { config }, async (request) => await request.repo(users).create(ada))
  server.post('/caught', { config }, async (request) => {
    await request.repo(users).create({ email: 'grace' }).catch(() => {})
    return 'well'
  })
  for (const [url, rows] of [['/', 1], ['/caught', 2]] as const) {
    const lost = proxy.loseAnswer('insert')
    t.match((await post(server, url)).json(), { statusCode: 500, code: 'DB_COMMIT_UNKNOWN' })
    await lost
    t.equal(await count(server), rows)
  }
})

t.test('a client that leaves while the write runs cancels it; one that leaves behind it undoes nothing', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  const { reached, release } = await holdCommits(t, server.db)
  const written = deferred()
  server.post('/', { config }, async (request) => {
    const user = await request.repo(users).create(ada)
    written.resolve()
    await new Promise<void>((resolve) => request.raw.socket.once('close', resolve))
    return user
  })

  const first = await sendRaw(server, requestText('POST', '/'))
  await reached()
  await first.leave()
  await until(() => log.lines(20).some(({ msg }) => msg === 'the client left, rolled back'))
  await release()
  t.equal(await count(server), 0)

  const second = await sendRaw(server, requestText('POST', '/'))
  await written.promise
  await second.leave()
  await until(() => log.lines(40).some(({ msg }) => msg === 'committed, but the client did not get the answer'))
  t.equal(await count(server), 1)
})

t.test('options that need a transaction are refused where the route is declared', async (t) => {
  const server = await build(t, { transaction: { retries: 3 } })
  const commitOn = (): boolean => true
  const declare = (transaction: object) => () => {
    server.post(`/${Math.random()}`, { config: { transaction: { retries: 0, single: true, ...transaction } } }, async () => 1)
  }
  for (const [name, transaction] of Object.entries({
    begin: { begin: 'onRequest' },
    commit: { commit: 'atEnd' },
    commitOn: { commitOn },
    retries: { retries: 1 },
    isolationLevel: { isolationLevel: 'serializable' }
  })) {
    t.throws(declare(transaction), { setting: /^config\.transaction of POST/, message: new RegExp(`transaction\\.single cannot be combined with ${name}`) })
  }
  t.throws(() => server.post('/', { config }, async () => 1), { message: /combined with retries/ }, "the plugin's own count")
  t.doesNotThrow(declare({ commit: 'onSend' }))
})

t.test('as an option of the plugin it holds for routes, not for sessions beside requests', async (t) => {
  const server = await build(t, { transaction: { single: true } })
  server.post('/', async (request) => await request.repo(users).createMany([ada, { email: 'grace' }]))
  t.match(await post(server), { statusCode: 500 })
  t.equal((await server.db.repo(users).createMany([ada, { email: 'grace' }])).length, 2)
  await server.db.session(async (session) => {
    await session.repo(users).create({ email: 'one' })
    await session.repo(users).create({ email: 'two' })
  })
  t.equal(await count(server), 4)
})

t.test('the statement budget counts its statements', async (t) => {
  const server = await build(t)
  server.post('/', { config: { transaction: { single: true, statementBudget: { max: 1, exceed: 'throw' } } } }, async (request) => {
    await request.repo(users).count()
    return await request.repo(users).create(ada)
  })
  t.match(await post(server), { statusCode: 500 })
  t.equal(await count(server), 0)
})

t.test('a server with several databases refuses it: a request has one decision there', async (t) => {
  const { server, rows } = await buildBoth(t)
  server.post('/', { config }, async (request) => await request.repo(users).create(ada))
  t.match(await post(server), { statusCode: 500, payload: /DB_USAGE/ })
  t.strictSame(await rows(), { users: 0, invoices: 0 })
  await server.db.session((session) => session.repo(users).create(ada), { single: true })
  t.strictSame(await rows(), { users: 1, invoices: 0 })
})

t.test('with readYourWrites the reply has a token, and reads that return it see the row', async (t) => {
  const server = await build(t, { readYourWrites: { header: 'x-read-after' } })
  server.post('/', { config }, async (request) => await request.repo(users).create(ada))
  server.get('/', async (request) => await request.repo(users).count())
  const { headers } = await post(server)
  t.type(headers['x-read-after'], 'string')
  t.equal((await server.inject({ url: '/', headers: { 'x-read-after': String(headers['x-read-after']) } })).body, '1')
})

t.test("with reads: 'replica' the reads before the write go to the replica, and those behind it to the primary", async (t) => {
  const pair = await startReplicated(t)
  const database = await openReplicated(t, pair)
  await pair.add('first')
  await pair.standby.level()
  const onReplica = sql`pg_is_in_recovery()`
  const counts = await database.session(async (session) => {
    const repo = session.repo(users)
    const before = await repo.count(onReplica)
    await repo.create(ada)
    return [before, await repo.count(onReplica), await repo.count()]
  }, { single: true })
  t.strictSame(counts, [1, 0, 2])
  const last = database.createSession()
  await last.repo(users).create({ email: 'last' })
  await last.commit()
  t.equal(await database.session((session) => {
    session.readAfter(last.token)
    return session.repo(users).count()
  }, { single: true }), 3)
})
