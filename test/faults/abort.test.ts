import { connect, type AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import t from 'tap'
import { connectionsOf } from '../helpers/connections.js'
import { deferred } from '../helpers/deferred.js'
import { holdCommits } from '../helpers/held-commit.js'
import { recordLog } from '../helpers/log-stream.js'
import { requestText, sendRaw } from '../helpers/raw-client.js'
import { users } from '../helpers/schema.js'
import { build } from '../helpers/server.js'
import { secret } from '../helpers/tls-proxy.js'
import { until } from '../helpers/until.js'

const ada = { email: 'ada@example.com' }

const reused = { acquired: 1, destroyed: 0 }
const none = { acquired: 0, destroyed: 0 }

const count = (server: FastifyInstance) => server.db.repo(users).count()
const idle = (server: FastifyInstance) => until(() => server.db.poolInfo.inUse === 0 && server.db.poolInfo.waiting === 0)

t.test('32: a client that leaves while its handler waits leaves no rows, however the handler ends', async (t) => {
  const ways: Record<string, () => unknown> = {
    value: () => 'done',
    nothing: () => undefined,
    error: () => { throw new Error('a slip') }
  }
  for (const [name, end] of Object.entries(ways)) {
    const server = await build(t)
    const [wrote, left, ended] = [deferred(), deferred(), deferred()]
    server.post('/', async (request) => {
      await request.repo(users).create(ada)
      wrote.resolve()
      await left.promise
      try {
        return end()
      } finally {
        ended.resolve()
      }
    })
    const connections = connectionsOf(server.db)
    const client = await sendRaw(server, requestText('POST', '/'))
    await wrote.promise
    await client.leave()
    await idle(server)
    t.strictSame(connections(), reused, name)
    left.resolve()
    await ended.promise
    await turn()
    t.equal(client.text, '', name)
    t.equal(await count(server), 0, name)
  }
})

t.test('32: the same over TLS, with and without a close_notify', async (t) => {
  const server = await build(t, { server: { https: secret.server } as FastifyServerOptions })
  const [wrote, left, ended] = [new Map<string, () => void>(), new Map<string, Promise<void>>(), new Map<string, () => void>()]
  server.post<{ Params: { how: string } }>('/:how', async (request) => {
    const { how } = request.params
    await request.repo(users).create({ email: how })
    wrote.get(how)?.()
    await left.get(how)
    setImmediate(() => ended.get(how)?.())
    return 'done'
  })
  await server.listen({ host: '127.0.0.1', port: 0 })
  const connections = connectionsOf(server.db)
  for (const how of ['goodbye', 'reset']) {
    const [hasWritten, hasLeft, hasEnded] = [deferred(), deferred(), deferred()]
    wrote.set(how, hasWritten.resolve)
    left.set(how, hasLeft.promise)
    ended.set(how, hasEnded.resolve)
    const raw = connect((server.server.address() as AddressInfo).port, '127.0.0.1')
    const client = connectTls({ socket: raw, ...secret.client })
    client.on('error', () => {}).write(requestText('POST', `/${how}`))
    await hasWritten.promise
    if (how === 'reset') raw.resetAndDestroy()
    else client.destroy()
    await idle(server)
    t.strictSame(connections(), reused, how)
    hasLeft.resolve()
    await hasEnded.promise
    t.equal(await count(server), 0, how)
    connections()
  }
})

t.test('32: statements of a handler are refused after its client left', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  const [wrote, left, refused] = [deferred(), deferred(), deferred<unknown>()]
  server.post('/', async (request) => {
    await request.repo(users).create(ada)
    wrote.resolve()
    await left.promise
    await request.repo(users).create({ email: 'grace' }).catch(refused.resolve)
  })
  const client = await sendRaw(server, requestText('POST', '/'))
  await wrote.promise
  await client.leave()
  await idle(server)
  left.resolve()

  t.match(await refused.promise, { code: 'DB_TRANSACTION_CLOSED', message: /client has left/ })
  t.equal(await count(server), 0)
  t.match(log.lines(20).filter(({ msg }) => msg === 'the client left, rolled back'), [{ level: 20, reqId: 'req-1' }])
})

t.test('32: a session requested after the client left is refused without a connection', async (t) => {
  const server = await build(t)
  const [came, left, refused] = [deferred(), deferred(), deferred<unknown>()]
  server.post('/', async (request) => {
    came.resolve()
    await left.promise
    await request.repo(users).create(ada).catch(refused.resolve)
  })
  const connections = connectionsOf(server.db)
  const client = await sendRaw(server, requestText('POST', '/'))
  await came.promise
  await client.leave()
  left.resolve()

  t.match(await refused.promise, { code: 'DB_TRANSACTION_CLOSED' })
  t.strictSame(connections(), none)
  t.equal(await count(server), 0)
})

t.test('35: after COMMIT was sent the outcome stands, and the log notes that the client left', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  const held = await holdCommits(t, server.db)
  server.post('/', (request) => request.repo(users).create(ada))
  const connections = connectionsOf(server.db)
  const client = await sendRaw(server, requestText('POST', '/'))
  await held.reached()

  await client.leave()
  await held.release()

  await until(() => log.lines(40).length > 0)
  t.strictSame(connections(), reused)
  t.match(log.lines(40), [{ level: 40, reqId: 'req-1', msg: 'committed, but the client did not get the answer' }])
  t.equal(log.lines(40).length, 1)
  t.equal(await count(server), 1)
})

t.test('35: until COMMIT has been sent, a client that leaves still prevents it', async (t) => {
  const server = await build(t)
  const connections = connectionsOf(server.db)
  const [reached, left] = [deferred(), deferred()]
  server.post('/', async (request) => {
    request.db.beforeCommit(async () => {
      reached.resolve()
      await left.promise
    })
    return request.repo(users).create(ada)
  })
  const client = await sendRaw(server, requestText('POST', '/'))
  await reached.promise
  await client.leave()
  left.resolve()

  await idle(server)
  t.strictSame(connections(), reused)
  t.equal(await count(server), 0)
})

t.test('35: a client that leaves in the middle of a streamed reply changes no committed row', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  server.post('/', async (request, reply) => {
    await request.repo(users).create(ada)
    return reply.send(Readable.from((async function * () {
      yield 'half'
      await new Promise(() => {})
    })()))
  })
  const client = await sendRaw(server, requestText('POST', '/'))
  await until(() => client.text.includes('half'))

  await client.leave()

  await until(() => log.lines(40).some(({ msg }) => msg === 'committed, but the client did not get the answer'))
  t.equal(await count(server), 1)
})

t.test('36: a handler that never answers leaves nothing when its client leaves', async (t) => {
  const server = await build(t)
  const wrote = deferred()
  server.post('/', async (request) => {
    await request.repo(users).create(ada)
    wrote.resolve()
    await new Promise(() => {})
  })
  const connections = connectionsOf(server.db)
  const client = await sendRaw(server, requestText('POST', '/'))
  await wrote.promise

  await client.leave()

  await idle(server)
  t.strictSame(connections(), reused)
  t.equal(await count(server), 0)
})

t.test('with commit: \'onResponse\' a client that leaves after the reply was made does not undo it', async (t) => {
  const server = await build(t, { transaction: { commit: 'onResponse' } })
  server.post('/', async (request, reply) => {
    await request.repo(users).create(ada)
    reply.raw.once('close', () => closed.resolve())
    return Readable.from((async function * () {
      yield 'half'
      await new Promise(() => {})
    })())
  })
  const closed = deferred()
  const client = await sendRaw(server, requestText('POST', '/'))
  await until(() => client.text.includes('half'))
  t.equal(await count(server), 0, 'settled after the reply, not before')
  await client.leave()
  await closed.promise
  await idle(server)
  t.equal(await count(server), 1)
})
