import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { PassThrough, Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import t from 'tap'
import { connectionsOf } from '../helpers/connections.js'
import { deferred } from '../helpers/deferred.js'
import { build } from '../helpers/server.js'
import { holdCommits } from '../helpers/held-commit.js'
import { recordLog } from '../helpers/log-stream.js'
import { requestText, sendRaw } from '../helpers/raw-client.js'
import { users } from '../helpers/schema.js'
import { until } from '../helpers/until.js'

const ada = { email: 'ada@example.com' }
const grace = { email: 'grace@example.com' }

/** One connection was used, and went back to the pool. */
const reused = { acquired: 1, destroyed: 0 }

const count = (server: FastifyInstance) => server.db.repo(users).count()

t.test('rule 1: the commit is confirmed before the first byte leaves', async (t) => {
  const server = await build(t)
  const ways: Record<string, (reply: FastifyReply) => unknown> = {
    returned: () => 'done',
    sent: (reply) => reply.send('done'),
    streamed: () => Readable.from(['done']),
    responded: () => new Response('done')
  }
  for (const [name, answer] of Object.entries(ways)) {
    server.post(`/${name}`, async (request, reply) => {
      await request.repo(users).create({ email: name })
      return answer(reply)
    })
  }
  server.get('/ping', async () => 'pong')
  const held = await holdCommits(t, server.db)

  for (const name of Object.keys(ways)) {
    const client = await sendRaw(server, requestText('POST', `/${name}`))
    await held.reached()
    const callSite = server.listeningOrigin
    t.equal(await (await fetch(`${callSite}/ping`)).text(), 'pong')
    t.equal(client.text, '', `${name}: nothing while COMMIT is under way`)
    await held.release()
    await client.ended
    t.match(client.text, /^HTTP\/1.1 200 OK/, name)
    t.match(client.text, /done/, name)
    await held.hold()
  }
  t.equal(await count(server), Object.keys(ways).length)
})

t.test('rule 1: a route without a transaction of its own kind keeps to it as well', async (t) => {
  const server = await build(t, {
    before: (server) => {
      server.post('/before', async (request) => request.repo(users).create(ada))
      server.setNotFoundHandler(async (request, reply) => {
        await request.repo(users).create(grace)
        return reply.code(200).send('made')
      })
    }
  })
  const held = await holdCommits(t, server.db)
  for (const url of ['/before', '/nowhere']) {
    const client = await sendRaw(server, requestText('POST', url))
    await held.reached()
    t.equal(client.text, '', url)
    await held.release()
    await client.ended
    t.match(client.text, /^HTTP\/1.1 200 OK/, `16a, 16b: ${url}`)
    await held.hold()
  }
  t.equal(await count(server), 2)
})

t.test('7: a serialization failure is answered 409 with Retry-After', async (t) => {
  const log = recordLog()
  const server = await build(t, { transaction: { isolationLevel: 'serializable' }, server: { logger: log.logger } })
  const user = await server.db.repo(users).create(ada)
  server.post('/', async (request) => {
    const { balance } = await request.repo(users).getOrThrow(user.id)
    await server.db.repo(users).update(user.id, { balance: balance + 10 })
    await request.repo(users).update(user.id, { balance: balance + 1 })
  })

  const connections = connectionsOf(server.db)

  const reply = await server.inject({ method: 'POST', url: '/' })

  t.match(reply.json(), { statusCode: 409, code: 'DB_CONFLICT' })
  t.match(reply.headers['retry-after'], /^\d+$/)
  t.strictSame(connections(), { acquired: 2, destroyed: 0 })
  t.match(log.lines(30).filter(({ err }) => err !== undefined), [{ level: 30, reqId: 'req-1', err: { code: 'DB_CONFLICT', context: { sqlState: '40001' } } }])
  t.equal(log.lines(40).length, 0)
  t.match(await server.db.repo(users).get(user.id), { balance: 10 })
})

t.test('7: of two requests that wait for each other one is kept whole, and the other is answered 409 with Retry-After', async (t) => {
  const server = await build(t)
  const rows = await server.db.repo(users).createMany([ada, grace])
  const ids = rows.map(({ id }) => id)
  const both = deferred()
  let locked = 0
  server.post('/:balance', async (request) => {
    const balance = Number(Object(request.params).balance)
    const [first = 0, second = 0] = balance === 1 ? ids : ids.toReversed()
    await request.repo(users).update(first, { balance })
    if (++locked === 2) both.resolve()
    await both.promise
    await request.repo(users).update(second, { balance })
    return { balance }
  })
  const connections = connectionsOf(server.db)

  const replies = await Promise.all(['/1', '/2'].map((url) => server.inject({ method: 'POST', url })))

  const [kept, refused] = replies.toSorted((one, other) => one.statusCode - other.statusCode)
  t.equal(kept?.statusCode, 200)
  t.match(refused, { statusCode: 409, headers: { 'retry-after': '1' } })
  t.match(refused?.json(), { code: 'DB_CONFLICT' })
  t.strictSame(connections(), { acquired: 2, destroyed: 0 })
  t.strictSame((await server.db.repo(users).getAll()).map(({ balance }) => ({ balance })), [kept?.json(), kept?.json()])
})

t.test('rule 2: replies from hooks are settled like those of handlers', async (t) => {
  const server = await build(t)
  const never = async () => { t.fail('the handler must not run') }
  const hook = async (request: FastifyRequest, reply: FastifyReply) => {
    await request.repo(users).create({ email: request.url })
    return reply.code(Number(request.headers['x-status'])).send('from a hook')
  }
  server.post('/onRequest', { onRequest: hook }, never)
  server.post('/preHandler', { preHandler: hook }, never)

  for (const url of ['/onRequest', '/preHandler']) {
    for (const status of [403, 200]) {
      t.match(await server.inject({ method: 'POST', url, headers: { 'x-status': String(status) } }), { statusCode: status, body: 'from a hook' })
    }
  }
  t.strictSame((await server.db.repo(users).getAll()).map(({ email }) => email), ['/onRequest', '/preHandler'], 'those with 200, and no others')
})

t.test('rule 2: HEAD runs its GET route once, and commits once', async (t) => {
  const server = await build(t)
  server.get('/', async (request) => {
    await request.repo(users).create(ada)
    return 'seen'
  })

  t.match(await server.inject({ method: 'HEAD', url: '/' }), { statusCode: 200, body: '', headers: { 'content-length': '4' } })
  t.equal(await count(server), 1)
})

t.test('rule 2: the status that counts is the one that an instance\'s or a child\'s onSend hook leaves', async (t) => {
  const server = await build(t)
  server.register(async (child) => {
    child.addHook('onSend', async (request, reply, payload) => {
      await Promise.resolve()
      reply.code(Number(request.headers['x-status']))
      return payload
    })
    child.post('/', async (request, reply) => {
      await request.repo(users).create({ email: String(request.headers['x-status']) })
      return reply.code(request.headers['x-status'] === '200' ? 500 : 200).send('x')
    })
  })

  for (const status of ['500', '200']) t.equal((await server.inject({ method: 'POST', url: '/', headers: { 'x-status': status } })).statusCode, Number(status))
  t.strictSame((await server.db.repo(users).getAll()).map(({ email }) => email), ['200'])
})

t.test('rule 2: a transaction that an onSend hook begins is settled with the reply', async (t) => {
  const server = await build(t)
  server.addHook('onSend', async (request) => { if (!request.is404) await request.repo(users).create(ada) })
  server.get('/', async () => 'seen')

  t.equal((await server.inject('/')).statusCode, 200)
  t.equal(await count(server), 1)
})

t.test('what could not be told to the client any more is refused: a hook behind ours cannot begin', async (t) => {
  const server = await build(t)
  const write = async (request: FastifyRequest) => { await request.repo(users).create(ada) }
  server.addHook('onRoute', (route) => { route.onSend = [route.onSend ?? [], write].flat() })
  server.get('/', async () => 'seen')
  server.setNotFoundHandler(async () => 'not there')
  server.addHook('onSend', async (request) => { if (request.is404) await write(request) })

  for (const url of ['/', '/nowhere']) {
    t.match((await server.inject(url)).json(), { statusCode: 500, code: 'DB_TRANSACTION_CLOSED' }, url)
  }
  t.equal(await count(server), 0)
})

t.test('26: a header that cannot be written is answered 500, what was committed stays, and the log says so', async (t) => {
  for (const format of ['fastify', 'envelope'] as const) {
    const log = recordLog()
    const server = await build(t, { server: { logger: log.logger }, errors: { format } })
    server.post('/', async (request, reply) => {
      await request.repo(users).create(ada)
      return reply.header('x-broken', 'a\nb').send('made')
    })

    const connections = connectionsOf(server.db)
    const client = await sendRaw(server, requestText('POST', '/'))
    await client.ended
    t.match(client.text, /^HTTP\/1\.1 500 /, format)
    t.notMatch(client.text, /made/)
    t.strictSame(connections(), reused)
    t.equal(await count(server), 1)
    t.strictSame(log.lines(50).filter(({ msg }) => msg === 'committed, response failed').map(({ level, reqId }) => `${level} ${reqId}`), ['50 req-1'])
  }
})

t.test('26: an onSend hook that throws after our commit is answered 500, what was committed stays, and the log says so', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  server.addHook('onRoute', (route) => {
    route.onSend = [
      route.onSend ?? [],
      async (_request: FastifyRequest, reply: FastifyReply) => { if (reply.statusCode < 400) throw new Error('no room') }
    ].flat()
  })
  server.post('/', (request) => request.repo(users).create(ada))

  const connections = connectionsOf(server.db)

  t.match((await server.inject({ method: 'POST', url: '/' })).json(), { statusCode: 500, message: 'no room' })
  t.strictSame(connections(), reused)
  t.equal(await count(server), 1)
  t.equal(log.lines(50).filter(({ msg }) => msg === 'committed, response failed').length, 1)
})

t.test('rule 2: an onSend hook that throws before the commit leaves nothing behind', async (t) => {
  const server = await build(t)
  server.addHook('onSend', async (_request, reply) => { if (reply.statusCode < 400) throw new Error('no room') })
  server.post('/', (request) => request.repo(users).create(ada))

  t.match((await server.inject({ method: 'POST', url: '/' })).json(), { statusCode: 500, message: 'no room' })
  t.equal(await count(server), 0)
})

t.test('a hook behind ours, like that of @fastify/compress, gets the payload after the commit', async (t) => {
  const server = await build(t)
  const seen: number[] = []
  server.addHook('onRoute', (route) => {
    route.onSend = [route.onSend ?? [], async (_request: FastifyRequest, _reply: FastifyReply, payload: unknown) => {
      seen.push(await count(server))
      return String(payload).toUpperCase()
    }].flat()
  })
  server.post('/', async (request) => {
    await request.repo(users).create(ada)
    return 'made'
  })

  t.match(await server.inject({ method: 'POST', url: '/' }), { statusCode: 200, body: 'MADE' })
  t.strictSame(seen, [1])
})

t.test('27: a stream that breaks before its first byte is answered 500, what was committed stays', async (t) => {
  const gone = () => new Error('the disk is gone')
  const broken: Record<string, () => unknown> = {
    file: () => createReadStream('/nowhere/at/all'),
    rows: () => Readable.from((async function * () { throw gone() })()),
  }
  for (const [name, stream] of Object.entries(broken)) {
    const log = recordLog()
    const server = await build(t, { server: { logger: log.logger } })
    server.post('/', async (request) => {
      await request.repo(users).create(ada)
      return stream()
    })
    const connections = connectionsOf(server.db)

    const client = await sendRaw(server, requestText('POST', '/'))
    await client.ended

    t.match(client.text, /^HTTP\/1\.1 500 /, name)
    t.strictSame(connections(), reused)
    t.equal(await count(server), 1)
    await until(() => log.lines(50).some(({ msg }) => msg === 'committed, response failed'))
    t.equal(log.lines(50).filter(({ msg }) => msg === 'committed, response failed').length, 1, name)
  }
})

t.test('27: so is a web stream, or the body of a Response, that breaks; after its first byte it is cut', async (t) => {
  const body = (begins: boolean, breaks: Promise<void>) => new ReadableStream({
    start (controller) { if (begins) controller.enqueue(Buffer.from('half')) },
    async pull (controller) {
      await breaks
      controller.error(new Error('the disk is gone'))
    }
  })
  const ways: Record<string, typeof body | ((...given: Parameters<typeof body>) => Response)> = {
    web: body, response: (...given) => new Response(body(...given))
  }
  for (const [name, way] of Object.entries(ways)) {
    for (const isBegun of [false, true]) {
      const breaks = deferred()
      const log = recordLog()
      const server = await build(t, { server: { logger: log.logger } })
      server.post('/', async (request) => {
        await request.repo(users).create(ada)
        return way(isBegun, breaks.promise)
      })
      const connections = connectionsOf(server.db)

      const client = await sendRaw(server, requestText('POST', '/'))
      if (isBegun) await until(() => client.text.includes('half'))
      breaks.resolve()
      await client.ended

      t.match(client.text, isBegun ? /^HTTP\/1\.1 200 .*half/s : /^HTTP\/1\.1 500 /, `${name} ${isBegun}`)
      t.notMatch(client.text, /\r\n0\r\n\r\n$/, 'never the end of a whole body')
      await until(() => log.lines(40).some(({ msg }) => /^committed, /.test(msg)))
      t.strictSame(connections(), reused)
      t.equal(await count(server), 1)
    }
  }
})

t.test('27: a stream that breaks while COMMIT is under way does not end the process', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  const held = await holdCommits(t, server.db)
  const stream = new PassThrough()
  server.post('/', async (request) => {
    await request.repo(users).create(ada)
    return stream
  })
  const answer = server.inject({ method: 'POST', url: '/' })
  await held.reached()

  stream.destroy(new Error('the disk is gone'))
  await until(() => stream.closed)
  await held.release()

  t.equal((await answer).statusCode, 500)
  t.equal(await count(server), 1)
  t.equal(log.lines(50).filter(({ msg }) => msg === 'committed, response failed').length, 1)
})

t.test('27: a stream that breaks after its first byte is cut, what was committed stays, and the log says so', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  const stream = new PassThrough()
  server.post('/', async (request) => {
    await request.repo(users).create(ada)
    return stream
  })
  const client = await sendRaw(server, requestText('POST', '/'))
  stream.write('half')
  await until(() => client.text.includes('half'))

  stream.destroy(new Error('the disk is gone'))
  await client.ended

  t.match(client.text, /^HTTP\/1.1 200/)
  t.equal(await count(server), 1)
  await until(() => log.lines(50).length > 0)
  t.equal(log.lines(40).filter(({ msg }) => msg === 'committed, response failed').length, 1)
})

t.test('28: a stream of the handler\'s own that reads in the settled transaction is answered 500', async (t) => {
  const log = recordLog()
  const server = await build(t, { server: { logger: log.logger } })
  server.get('/', async (request) => {
    const repository = request.repo(users)
    await repository.create(ada)
    return Readable.from((async function * () { yield String(await repository.count()) })())
  })

  const connections = connectionsOf(server.db)

  t.match((await server.inject('/')).json(), { statusCode: 500, code: 'DB_TRANSACTION_CLOSED' })
  t.strictSame(connections(), reused)
  t.equal(await count(server), 1, 'what was committed before the stream stays')
  t.equal(log.lines(50).filter(({ msg }) => msg === 'committed, response failed').length, 1)
})

t.test('29: a statement after the reply is refused and writes nothing, also where the request had not used the database before', async (t) => {
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

t.test('29: a request that was answered by hand cannot begin afterwards, neither at once nor when its response is closed', async (t) => {
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

t.test('30: what a callback after the commit throws is logged and changes nothing; the first starts before the reply leaves', async (t) => {
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
