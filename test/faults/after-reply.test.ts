import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { PassThrough, Readable } from 'node:stream'
import { sql } from 'drizzle-orm'
import type { FastifyInstance, FastifyReply } from 'fastify'
import t from 'tap'
import type { Session } from '../../plugins/index.js'
import { connectionsOf } from '../helpers/connections.js'
import { build } from '../helpers/server.js'
import { recordLog } from '../helpers/log-stream.js'
import { requestText, sendRaw } from '../helpers/raw-client.js'
import { posts, users } from '../helpers/schema.js'
import { until } from '../helpers/until.js'

const ada = { email: 'ada@example.com' }
const grace = { email: 'grace@example.com' }

/** One connection was used, and went back to the pool. */
const reused = { acquired: 1, destroyed: 0 }

const count = (server: FastifyInstance) => server.db.repo(users).count()

/** Creates a post without a user, which is refused only at COMMIT. */
async function createOrphan (session: Session): Promise<void> {
  await session.execute(sql`set constraints all deferred`)
  await session.repo(posts).create({ userId: 404, title: 'without a user' })
}

t.test('29: a statement after the reply is refused, also if the request used no database before', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  const refused: unknown[] = []
  server.post('/:before', async (request, reply) => {
    if (request.url === '/used') await request.repo(users).create(ada)
    const answered = once(reply.raw, 'finish')
    reply.send('done')
    await answered
    await request.repo(users).count().catch(() => {})
    await request.repo(users).create(grace).catch((error) => refused.push(error))
  })

  for (const url of ['/used', '/unused']) {
    t.equal((await server.inject({ method: 'POST', url })).statusCode, 200)
    await until(() => refused.length > 0)
    t.match(refused.pop(), { code: 'DB_TRANSACTION_CLOSED' })
  }
  t.match(log.lines(40), [
    { level: 40, reqId: 'req-1', err: { code: 'DB_TRANSACTION_CLOSED' }, msg: /after the end .* refused/ },
    { level: 40, reqId: 'req-2', err: { code: 'DB_TRANSACTION_CLOSED' } }
  ])
  t.equal(log.lines(40).length, 2, 'once for each request')
  t.strictSame((await server.db.repo(users).getAll()).map(({ email }) => email), [ada.email])
})

t.test('29: a request answered by hand cannot begin a transaction later, nor in a close listener', async (t) => {
  const server = await build(t)
  const refused: unknown[] = []
  server.post('/:when', async (request, reply) => {
    reply.hijack()
    const closed = once(reply.raw, 'close')
    reply.raw.end('raw')
    if (request.url === '/closed') await closed
    await request.repo(users).create(ada).catch((error) => refused.push(error))
  })

  for (const url of ['/at-once', '/closed']) {
    t.equal((await server.inject({ method: 'POST', url })).body, 'raw')
    await until(() => refused.length > 0)
    t.match(refused.pop(), { code: 'DB_TRANSACTION_CLOSED', message: /^The reply was sent before/ }, url)
    t.match(server.db.poolInfo, { inUse: 0, waiting: 0 })
  }
})

t.test('30: an error of an afterCommit callback is logged; the first one starts before the reply', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  const seen: string[] = []
  server.post('/', async (request) => {
    request.db.afterCommit(() => {
      seen.push('callback')
      throw new Error('no mail today')
    })
    return request.repo(users).create(ada)
  })
  server.addHook('onResponse', async () => { seen.push('response') })

  t.equal((await server.inject({ method: 'POST', url: '/' })).statusCode, 200)
  t.strictSame(seen, ['callback', 'response'])
  t.equal(await count(server), 1)
  t.match(log.lines(40), [{ level: 50, reqId: 'req-1', err: { message: 'no mail today' } }])
  t.equal(log.lines(40).length, 1)
})

t.test('31: a reply ended by hand, or hijacked, without a commit leaves nothing, and the log says so', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  for (const commit of ['onSend', 'onResponse'] as const) {
    server.post(`/raw/${commit}`, { config: { transaction: { commit } } }, async (request, reply) => {
      await request.repo(users).create(ada)
      reply.raw.end('raw')
      return reply
    })
    server.post(`/hijacked/${commit}`, { config: { transaction: { commit } } }, async (request, reply) => {
      await request.repo(users).create(ada)
      reply.hijack()
      reply.raw.end('raw')
    })
  }

  const connections = connectionsOf(server.db)

  for (const url of ['/raw/onSend', '/hijacked/onSend', '/raw/onResponse', '/hijacked/onResponse']) {
    const client = await sendRaw(server, requestText('POST', url))
    await client.ended
    t.match(client.text, /^HTTP\/1\.1 200 .*raw/s, url)
    await until(() => server.db.poolInfo.inUse === 0)
    t.strictSame(connections(), reused, url)
    t.equal(await count(server), 0, url)
    connections()
  }
  await until(() => log.lines(50).length === 4)
  t.strictSame(
    log.lines(40).map(({ level, reqId, msg }) => `${level} ${reqId} ${msg}`),
    [1, 2, 3, 4].map((n) => `50 req-${n} response ended outside the lifecycle, rolled back`)
  )
})

t.test('31: a client that leaves a hijacked reply, and a server that cuts it, leave nothing either', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  const seen: Array<Promise<unknown>> = []
  server.post('/:how', async (request, reply) => {
    await request.repo(users).create(ada)
    reply.hijack()
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream' })
    reply.raw.write('data: 1\n\n')
    if (request.url === '/cut') reply.raw.destroy()
    else seen.push(once(reply.raw, 'close').then(() => request.repo(users).create(grace)).catch((error: unknown) => error))
  })
  const connections = connectionsOf(server.db)

  const cut = await sendRaw(server, requestText('POST', '/cut'))
  await cut.ended
  await until(() => server.db.poolInfo.inUse === 0)
  t.strictSame(connections(), reused)
  const client = await sendRaw(server, requestText('POST', '/left'))
  await until(() => client.text.includes('data: 1'))
  await client.leave()
  await until(() => server.db.poolInfo.inUse === 0)

  t.strictSame(connections(), reused)
  t.match(await Promise.all(seen), [{ code: 'DB_TRANSACTION_CLOSED' }], 'nor can anything be written afterwards')
  t.equal(await count(server), 0)
  await until(() => log.lines(20).filter(({ msg }) => msg === 'the client left, rolled back').length === 2)
})

t.test('31: a commit by hand before hijack() stays', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  server.post('/', async (request, reply) => {
    await request.repo(users).create(ada)
    await request.db.commit()
    reply.hijack()
    reply.raw.end('raw')
  })

  t.match(await server.inject({ method: 'POST', url: '/' }), { statusCode: 200, body: 'raw' })
  t.equal(await count(server), 1)
  t.equal(log.lines(40).length, 0)
})

t.test('17: a stream, or the body of a Response, that is not sent after all is let go', async (t) => {
  const server = await build(t)
  let isLetGo = false
  const source = { cancel: () => { isLetGo = true } }
  const payloads: Record<string, () => unknown> = {
    node: () => new Readable({ read () {}, destroy: (_error, done) => { isLetGo = true; done(null) } }),
    broken: () => createReadStream('/nowhere').once('close', () => { isLetGo = true }),
    web: () => new ReadableStream(source),
    response: () => new Response(new ReadableStream(source)),
  }
  for (const [name, payload] of Object.entries(payloads)) {
    server.post(`/${name}`, async (request) => {
      await createOrphan(request.db)
      return payload()
    })
  }

  for (const name of Object.keys(payloads)) {
    isLetGo = false
    t.match((await server.inject({ method: 'POST', url: `/${name}` })).json(), { statusCode: 409 }, name)
    await until(() => isLetGo)
  }
  t.equal(await server.db.repo(posts).count(), 0)
})

t.test('24: of two replies the first counts, with one COMMIT, also if the second comes during it', async (t) => {
  const log = recordLog()
  const server = await build(t, { echo: true, server: { logger: log.logger } })
  const dropped = new PassThrough()
  const seconds: Record<string, (reply: FastifyReply) => unknown> = {
    sent: (reply) => reply.code(500).header('x-second', 'yes').type('text/html').send('second'),
    streamed: (reply) => reply.send(dropped),
    failed: (reply) => reply.send(new Error('second')),
    returned: () => 'second',
    thrown: () => { throw new Error('second') }
  }
  for (const [name, second] of Object.entries(seconds)) {
    server.post(`/${name}`, async (request, reply) => {
      await request.repo(users).create({ email: name })
      reply.code(201).header('set-cookie', ['a=1', 'b=2']).send({ first: true })
      return second(reply)
    })
  }

  for (const name of Object.keys(seconds)) {
    const client = await sendRaw(server, requestText('POST', `/${name}`))
    await client.ended
    t.match(client.text, /^HTTP\/1\.1 201 .*set-cookie: a=1\r\nset-cookie: b=2\r\ncontent-type: application\/json.*\r\n\r\n{"first":true}$/s, name)
    t.notMatch(client.text, /x-second|text\/html/)
    t.equal(client.text.split('HTTP/1.1').length - 1, 1, 'one answer')
  }
  const sent = log.lines(30).filter(({ msg, reqId }) => msg === 'statement' && reqId !== undefined).map(({ statement }) => String(statement).split(' ')[0])
  t.strictSame(sent, Array(Object.keys(seconds).length).fill(['begin;', 'commit']).flat(), 'one COMMIT for each')
  t.equal(await count(server), Object.keys(seconds).length)
  t.ok(dropped.destroyed)
  const warnings = log.lines(40).filter(({ msg }) => msg === 'a second reply was made and not sent: the first one decided')
  t.strictSame(warnings.map(({ level }) => level), Array(Object.keys(seconds).length).fill(40))
})

t.test('24: the same payload sent twice is sent once', async (t) => {
  const server = await build(t)
  server.post('/', async (request, reply) => {
    await request.repo(users).create(ada)
    const stream = Readable.from(['once'])
    reply.send(stream)
    return stream
  })

  t.match(await server.inject({ method: 'POST', url: '/' }), { statusCode: 200, body: 'once' })
  t.equal(await count(server), 1)
})

t.test('24: a stream that was sent is not disturbed by a second reply', async (t) => {
  const server = await build(t)
  const stream = new PassThrough()
  let first: FastifyReply | undefined
  server.post('/', async (request, reply) => {
    await request.repo(users).create(ada)
    first = reply
    return stream
  })
  const answer = server.inject({ method: 'POST', url: '/' })
  await until(() => stream.listenerCount('data') > 0)

  first?.send('second')
  stream.end('first')

  t.match(await answer, { statusCode: 200, body: 'first' })
})
