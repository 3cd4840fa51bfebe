import { sql } from 'drizzle-orm'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import t, { type Test } from 'tap'
import type { RequestTransactionOptions, Session } from '../../plugins/index.js'
import { backendOf, beside, killBackend } from '../helpers/backend.js'
import { connectionsOf } from '../helpers/connections.js'
import { holdCommits } from '../helpers/held-commit.js'
import { recordLog } from '../helpers/log-stream.js'
import { posts, users } from '../helpers/schema.js'
import { build, buildByProxy } from '../helpers/server.js'
import { until } from '../helpers/until.js'

const ada = { email: 'ada@example.com' }

const reused = { acquired: 1, destroyed: 0 }
const destroyed = { acquired: 1, destroyed: 1 }

/** Headers of a reply that must be removed when an error replaces it. */
const meant = {
  'content-encoding': 'identity', etag: '"1"', 'last-modified': 'Mon, 01 Jan 2024 00:00:00 GMT', 'cache-control': 'max-age=60', location: '/users/1'
}

const post = (server: FastifyInstance, url = '/') => server.inject({ method: 'POST', url })
const count = (server: FastifyInstance) => server.db.repo(users).count()

/** Creates a post without a user, which is refused only at COMMIT. */
async function createOrphan (session: Session): Promise<void> {
  await session.execute(sql`set constraints all deferred`)
  await session.repo(posts).create({ userId: 404, title: 'nobody wrote this' })
}

/** A server behind a failing network, with a route that writes; `ran` lists the callbacks that were called. */
async function buildWriter (t: Test, transaction: RequestTransactionOptions = {}) {
  const log = recordLog()
  const { server, proxy } = await buildByProxy(t, { transaction, server: { logger: log.logger } })
  const ran: string[] = []
  server.post('/users', async (request, reply) => {
    request.db.afterCommit(() => { ran.push('afterCommit') })
    request.db.afterRollback(() => { ran.push('afterRollback') })
    const user = await request.repo(users).create(ada)
    return reply.code(201).headers(meant).send(user)
  })
  return { server, proxy, log, ran, connections: connectionsOf(server.db) }
}

t.test('17: a constraint that fails at COMMIT is answered by its kind, or by the words of its own', async (t) => {
  const log = recordLog()
  const words = { posts_user_id_fkey: { status: 422, code: 'NO_SUCH_USER', message: 'There is no such user' } }
  const [server, mapped] = [await build(t, { server: { logger: log.logger } }), await build(t, { errors: { constraints: words } })]
  for (const each of [server, mapped]) each.post('/', (request) => createOrphan(request.db))
  await beside(server.db, `
    create function refuse () returns trigger language plpgsql as $$ begin raise exception 'refused'; end $$;
    create constraint trigger refuse after insert on users deferrable initially deferred for each row execute function refuse();
  `)
  server.post('/trigger', async (request) => { await request.repo(users).create(ada) })
  const connections = connectionsOf(server.db)

  t.match((await post(server)).json(), { statusCode: 409, code: 'DB_FOREIGN_KEY_VIOLATION' })
  t.strictSame(connections(), reused)
  t.match((await post(server, '/trigger')).json(), { statusCode: 500, code: 'DB_ERROR' })
  t.strictSame(connections(), reused)
  t.match((await post(mapped)).json(), { statusCode: 422, ...{ code: 'NO_SUCH_USER', message: 'There is no such user' } })

  t.equal(await server.db.repo(posts).count() + await mapped.db.repo(posts).count() + await count(server), 0)
  const codes = log.lines(30).flatMap(({ level, reqId, err }) => err === undefined ? [] : [`${level} ${reqId} ${err.code}`])
  t.strictSame(codes, ['30 req-1 DB_FOREIGN_KEY_VIOLATION', '50 req-2 DB_ERROR'])
})

t.test('18: a backend that is dead before COMMIT was sent is answered 503, and nothing was saved', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  const kill = async (session: Session) => killBackend(server.db, await backendOf(session))
  const ways: Record<string, (request: FastifyRequest) => unknown> = {
    handler: (request) => kill(request.db),
    beforeCommit: (request) => { request.db.beforeCommit(() => kill(request.db)) }
  }
  for (const [name, way] of Object.entries(ways)) {
    server.post(`/${name}`, async (request, reply) => {
      await request.repo(users).create(ada)
      await way(request)
      return reply.code(201).headers(meant).send('made')
    })
  }
  const connections = connectionsOf(server.db)

  for (const name of Object.keys(ways)) {
    const reply = await post(server, `/${name}`)
    t.match(reply.json(), { statusCode: 503, code: 'DB_CONNECTION' }, name)
    t.match(reply.headers, { 'retry-after': '1' })
    for (const header of Object.keys(meant)) t.notOk(header in reply.headers, header)
    t.strictSame(connections(), destroyed)
    t.equal(await count(server), 0)
    connections()
  }
  const told = log.lines(40).map(({ level, reqId, err }) => `${level} ${reqId} ${err?.code}`)
  t.strictSame(told, ['50 req-1 DB_CONNECTION', '50 req-2 DB_CONNECTION'])
})

for (const how of ['cut', 'reset', 'silence'] as const) {
  t.test(`19: a lost answer to COMMIT (${how}) is 500 without Retry-After, and logged`, async (t) => {
    const { server, proxy, log, ran, connections } = await buildWriter(t, how === 'silence' ? { settleTimeoutMillis: 500 } : {})
    const lost = proxy.loseAnswer('commit', how)

    const reply = await post(server, '/users')

    await lost
    t.match(reply.json(), { statusCode: 500, code: 'DB_COMMIT_UNKNOWN', message: /^It is not known whether/ })
    for (const header of ['retry-after', ...Object.keys(meant)]) t.notOk(header in reply.headers, header)
    t.strictSame(connections(), destroyed)
    t.strictSame(ran, [], 'neither of the callbacks: nobody knows')
    t.match(log.lines(40), [
      { level: 50, reqId: 'req-1', req: { method: 'POST', url: '/users' }, err: { code: 'DB_COMMIT_UNKNOWN', context: { operation: 'commit' } } }
    ])
    t.equal(log.lines(40).length, 1)
    proxy.cut()
    t.equal(await count(server), 1, 'here it was saved')
  })
}

t.test('19: with resolveCommits the log has the id of a transaction whose status is unknown', async (t) => {
  const { server, proxy, log, ran } = await buildWriter(t, { resolveCommits: true, settleTimeoutMillis: 1000 })
  const lost = proxy.loseAnswer('commit', 'cut').then(() => proxy.blackHole())

  const reply = await post(server, '/users')

  await lost
  t.match(reply.json(), { statusCode: 500, code: 'DB_COMMIT_UNKNOWN' })
  t.notOk('retry-after' in reply.headers)
  t.strictSame(ran, [])
  t.match(log.lines(50), [{ reqId: 'req-1', err: { code: 'DB_COMMIT_UNKNOWN', context: { transactionId: /^\d+$/ } } }])
  t.equal(log.lines(50).length, 1)
  proxy.cut()
  await proxy.resume()
  await until(() => server.db.poolInfo.inUse === 0)
})

t.test('20: with resolveCommits a COMMIT that held without an answer gets the intended reply', async (t) => {
  const { server, proxy, log, ran, connections } = await buildWriter(t, { resolveCommits: true })
  proxy.loseAnswer('commit')

  const reply = await post(server, '/users')

  t.match(reply, { statusCode: 201, headers: meant })
  t.match(reply.json(), ada)
  t.strictSame(connections(), { acquired: 2, destroyed: 1 }, 'one that was lost, one to ask over')
  t.strictSame(ran, ['afterCommit'])
  t.equal(await count(server), 1)
  t.match(log.lines(40), [{ level: 40, reqId: 'req-1', transactionId: /^\d+$/, msg: 'commit confirmed by pg_xact_status' }])
  t.equal(log.lines(40).length, 1)
})

t.test('21: with resolveCommits a COMMIT that never arrived is 503: nothing saved, try again', async (t) => {
  const { server, proxy, log, ran, connections } = await buildWriter(t, { resolveCommits: true })
  proxy.loseRequest('commit')

  const reply = await post(server, '/users')

  t.match(reply.json(), { statusCode: 503, code: 'DB_CONNECTION' })
  t.equal(reply.headers['retry-after'], '1')
  for (const header of Object.keys(meant)) t.notOk(header in reply.headers, header)
  t.strictSame(connections(), { acquired: 2, destroyed: 1 })
  t.strictSame(ran, ['afterRollback'])
  t.equal(await count(server), 0)
  t.match(log.lines(40), [{ level: 50, reqId: 'req-1', err: { code: 'DB_CONNECTION', context: { transactionId: /^\d+$/ } } }])
  t.equal(log.lines(40).length, 1)
})

t.test('22: a COMMIT that hangs beyond the limit is unknown, or looked up until it is decided', async (t) => {
  const commits = (server: FastifyInstance) => beside(
    server.db,
    "select from pg_stat_activity where datname = current_database() and query = 'commit' and state = 'active'"
  )
  const unknown = await buildWriter(t, { settleTimeoutMillis: 100 })
  const heldUnknown = await holdCommits(t, unknown.server.db)
  const reply = await post(unknown.server, '/users')
  t.match(reply.json(), { statusCode: 500, code: 'DB_COMMIT_UNKNOWN' })
  for (const header of ['retry-after', ...Object.keys(meant)]) t.notOk(header in reply.headers, header)
  t.match(unknown.log.lines(40), [{ level: 50, reqId: 'req-1', err: { code: 'DB_COMMIT_UNKNOWN' } }])
  t.equal(unknown.log.lines(40).length, 1)
  t.strictSame(unknown.connections(), destroyed)
  t.strictSame(unknown.ran, [])
  await heldUnknown.release()
  // PostgreSQL goes on without its client: the test waits for the end of the commit.
  await until(async () => (await commits(unknown.server)).length === 0)

  const resolved = await buildWriter(t, { settleTimeoutMillis: 2000, resolveCommits: true })
  const held = await holdCommits(t, resolved.server.db)
  resolved.connections()
  const answer = post(resolved.server, '/users')
  // One connection for the transaction, and after the limit another for looking up the commit.
  let acquired = 0
  await until(() => (acquired += resolved.connections().acquired) > 1)
  t.strictSame(resolved.ran, [])
  await held.release()
  t.equal((await answer).statusCode, 201)
  t.strictSame(resolved.ran, ['afterCommit'])
  t.equal(await count(resolved.server), 1)
})

t.test('25: FATAL 57P01 as the answer to COMMIT is an unknown outcome', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  const held = await holdCommits(t, server.db)
  let pid = 0
  server.post('/', async (request) => {
    pid = await backendOf(request.db)
    await request.repo(users).create(ada)
  })
  const connections = connectionsOf(server.db)
  const answer = post(server)
  await held.reached()

  await killBackend(server.db, pid)

  const reply = await answer
  t.match(reply.json(), { statusCode: 500, code: 'DB_COMMIT_UNKNOWN' })
  t.notOk('retry-after' in reply.headers)
  t.strictSame(connections(), destroyed)
  t.match(log.lines(40), [{ level: 50, reqId: 'req-1', err: { code: 'DB_COMMIT_UNKNOWN', context: { operation: 'commit', sqlState: '57P01' } } }])
  t.equal(log.lines(40).length, 1)
  await held.release()
  t.equal(await count(server), 0, 'here it was not saved')
})

t.test('17: a constraint that fails at COMMIT makes the reply an error, without the old headers', async (t) => {
  const server = await build(t)
  const meant = {
    'content-encoding': 'gzip', etag: '"1"', 'last-modified': 'Mon, 01 Jan 2024 00:00:00 GMT', 'cache-control': 'max-age=60', location: '/posts/1'
  }
  server.post('/', async (request, reply) => {
    await createOrphan(request.db)
    return reply.code(201).headers({ ...meant, 'x-kept': 'yes' }).send({ id: 1 })
  })

  const reply = await server.inject({ method: 'POST', url: '/' })

  t.match(reply.json(), { statusCode: 409, code: 'DB_FOREIGN_KEY_VIOLATION' })
  for (const name of Object.keys(meant)) t.notOk(name in reply.headers, name)
  t.equal(reply.headers['x-kept'], 'yes')
  t.equal(await server.db.repo(posts).count(), 0)
})
