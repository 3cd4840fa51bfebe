import { once } from 'node:events'
import { Readable } from 'node:stream'
import { connect, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import dataAccess from '../../plugins/index.js'
import type { RequestTransactionOptions } from '../../plugins/index.js'
import { createTestDatabase } from '../../src/testing/index.js'
import { connectionsOf } from '../helpers/connections.js'
import { unhurried } from '../helpers/database.js'
import { deferred } from '../helpers/deferred.js'
import { holdCommits } from '../helpers/held-commit.js'
import { recordLog } from '../helpers/log-stream.js'
import { schema, tables, users } from '../helpers/schema.js'
import { until } from '../helpers/until.js'
import { watchPool } from '../helpers/watch.js'

const ada = { email: 'ada@example.com' }
const reused = { acquired: 1, destroyed: 0 }
const none = { acquired: 0, destroyed: 0 }

const count = (server: FastifyInstance) => server.db.repo(users).count()
const idle = (server: FastifyInstance) => until(() => server.db.poolInfo.inUse === 0 && server.db.poolInfo.waiting === 0)

/** An HTTP/2 server without TLS, and a connection to it. */
async function build (t: Test, transaction: RequestTransactionOptions = {}) {
  const { connectionString } = await createTestDatabase(t, { sql: tables })
  const log = recordLog()
  // The types of an HTTP/2 server differ from those that plugins are written for.
  const server = Fastify({ http2: true, logger: log.logger }) as unknown as FastifyInstance
  t.teardown(() => server.close())
  await server.register(dataAccess, { connectionString, schema, transaction, ...unhurried })
  watchPool(t, server.db.pool, { url: connectionString })
  let session: ClientHttp2Session | undefined
  t.teardown(async () => { session?.destroy() })

  /** Sends a request; afterwards the server is listening and accepts no more routes. */
  const send = async (path: string, method = 'POST'): Promise<ClientHttp2Stream> => {
    if (!server.server.listening) await server.listen({ host: '127.0.0.1', port: 0 })
    session ??= connect(`http://127.0.0.1:${(server.server.address() as AddressInfo).port}`)
    const stream = session.request({ ':path': path, ':method': method })
    stream.on('error', () => {})
    stream.end()
    return stream
  }
  return { server, log, send, connections: connectionsOf(server.db) }
}

/** The whole response to a request. */
async function answerOf (stream: ClientHttp2Stream): Promise<{ status: number, body: string }> {
  const [headers] = await once(stream, 'response')
  let body = ''
  stream.setEncoding('utf8').on('data', (text: string) => { body += text })
  await once(stream, 'end')
  return { status: Number(headers[':status']), body }
}

/** Cancels the request, as a browser does when its user leaves the page; the connection stays open. */
function leave (stream: ClientHttp2Stream): void {
  stream.close(8)
}

t.test('over HTTP/2 a 200 commits before the first byte, and an error rolls back', async (t) => {
  const { server, send, connections } = await build(t)
  server.post('/kept', (request) => request.repo(users).create(ada))
  server.post('/thrown', async (request) => {
    await request.repo(users).create({ email: 'grace' })
    throw new Error('a slip')
  })
  const held = await holdCommits(t, server.db)

  const kept = await send('/kept')
  let hasCome = false
  kept.once('response', () => { hasCome = true })
  const answer = answerOf(kept)
  await held.reached()
  t.notOk(hasCome, 'nothing while COMMIT is under way')
  await held.release()
  t.match(await answer, { status: 200, body: /ada@example\.com/ })
  t.strictSame(connections(), reused)

  t.match(await answerOf(await send('/thrown')), { status: 500 })
  t.strictSame(connections(), reused)
  t.match(await server.db.repo(users).getAll(), [ada])
  t.equal(await count(server), 1)
})

t.test('32: a client that cancels its HTTP/2 request leaves no rows, however the handler ends', async (t) => {
  const { server, log, send, connections } = await build(t)
  const ways: Record<string, () => unknown> = {
    value: () => 'done',
    nothing: () => undefined,
    error: () => { throw new Error('a slip') },
    never: () => new Promise(() => {})
  }
  const [wrote, left, ended] = [new Map<string, () => void>(), new Map<string, Promise<void>>(), new Map<string, () => void>()]
  server.post<{ Params: { way: string } }>('/:way', async (request) => {
    const { way } = request.params
    await request.repo(users).create({ email: way })
    wrote.get(way)?.()
    await left.get(way)
    try {
      return await ways[way]?.()
    } finally {
      ended.get(way)?.()
    }
  })
  for (const way of Object.keys(ways)) {
    const [hasWritten, hasLeft, hasEnded] = [deferred(), deferred(), deferred()]
    wrote.set(way, hasWritten.resolve)
    left.set(way, hasLeft.promise)
    ended.set(way, hasEnded.resolve)
    const stream = await send(`/${way}`)
    await hasWritten.promise
    leave(stream)
    await idle(server)
    t.strictSame(connections(), reused, way)
    hasLeft.resolve()
    if (way !== 'never') await hasEnded.promise
    t.equal(await count(server), 0, way)
    connections()
  }
  await until(() => log.lines(20).filter(({ msg }) => msg === 'the client left, rolled back').length === Object.keys(ways).length)
  t.strictSame(log.lines(40).flatMap(({ err }) => err?.message ?? []), ['a slip'], 'the handler\'s own error, and none of ours')
})

t.test('32: a session requested after the client cancelled is refused without a connection', async (t) => {
  const { server, send, connections } = await build(t)
  const [came, left, refused] = [deferred(), deferred(), deferred<unknown>()]
  server.post('/', async (request, reply) => {
    const gone = once(reply.raw, 'close')
    came.resolve()
    await left.promise
    await gone
    await request.repo(users).create(ada).catch(refused.resolve)
    refused.resolve('it was written')
    await new Promise(() => {})
  })
  const stream = await send('/')
  await came.promise
  leave(stream)
  left.resolve()

  t.match(await refused.promise, { code: 'DB_TRANSACTION_CLOSED' })
  t.strictSame(connections(), none)
  t.equal(await count(server), 0)
})

t.test('32: a handler is not retried for a client that cancelled its request', async (t) => {
  const { server, send } = await build(t, { retries: 2 })
  const [came, left, ended] = [deferred(), deferred(), deferred<unknown>()]
  let attempts = 0
  server.addHook('onError', async (_request, _reply, error) => ended.resolve(error))
  server.post('/', async (request, reply) => {
    attempts++
    const gone = once(reply.raw, 'close')
    came.resolve()
    await left.promise
    await gone
    return await request.repo(users).create(ada)
  })
  const stream = await send('/')
  await came.promise
  leave(stream)
  left.resolve()

  t.match(await ended.promise, { code: 'DB_TRANSACTION_CLOSED' })
  t.equal(attempts, 1)
  t.equal(await count(server), 0)
})

t.test('35: after COMMIT was sent the outcome stands, also if the client cancelled its request', async (t) => {
  const { server, log, send, connections } = await build(t)
  server.post('/', (request) => request.repo(users).create(ada))
  const held = await holdCommits(t, server.db)
  const stream = await send('/')
  await held.reached()

  leave(stream)
  await once(stream, 'close')
  await held.release()

  await until(() => log.lines(40).length > 0)
  t.strictSame(connections(), reused)
  t.match(log.lines(40), [{ level: 40, reqId: 'req-1', msg: 'committed, but the client did not get the answer' }])
  t.equal(log.lines(40).length, 1)
  t.equal(await count(server), 1)
})

t.test('104: an HTTP/2 stream whose COMMIT fails is reset before its end; its connection stays', async (t) => {
  const { server, log, send } = await build(t, { commit: 'atEnd' })
  server.get('/:ends', async (request) => Readable.from((async function * () {
    await request.repo(users).create(ada)
    yield 'one, '
    if (request.url === '/badly') request.db.beforeCommit(() => { throw new Error('a veto') })
    yield 'two'
  })()))

  const broken = await send('/badly', 'GET')
  let body = ''
  broken.setEncoding('utf8').on('data', (text: string) => { body += text })
  await new Promise((resolve) => broken.once('close', resolve))

  t.equal(broken.rstCode, 2)
  t.notMatch(body, /two/)
  t.equal(await count(server), 0)
  t.match(log.lines(50).find(({ msg }) => /broken off/.test(msg)), { outcome: 'rolledBack', err: { message: 'a veto' } })
  t.strictSame(await answerOf(await send('/well', 'GET')), { status: 200, body: 'one, two' })
  t.equal(await count(server), 1)
})
