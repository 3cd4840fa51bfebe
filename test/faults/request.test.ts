import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import t from 'tap'
import { connectionsOf } from '../helpers/connections.js'
import { deferred } from '../helpers/deferred.js'
import { build } from '../helpers/server.js'
import { holdCommits } from '../helpers/held-commit.js'
import { recordLog } from '../helpers/log-stream.js'
import { requestText, sendRaw } from '../helpers/raw-client.js'
import { users } from '../helpers/schema.js'

const ada = { email: 'ada@example.com' }
const grace = { email: 'grace@example.com' }

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

t.test('7: of two requests in a deadlock one is saved, the other is 409 with Retry-After', async (t) => {
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

t.test('rule 2: the status that counts is the one that the last onSend hook leaves', async (t) => {
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

t.test('a hook after ours cannot begin a transaction that could not change the reply', async (t) => {
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

t.test('rule 2: an onSend hook that throws before the commit leaves no rows', async (t) => {
  const server = await build(t)
  server.addHook('onSend', async (_request, reply) => { if (reply.statusCode < 400) throw new Error('no room') })
  server.post('/', (request) => request.repo(users).create(ada))

  t.match((await server.inject({ method: 'POST', url: '/' })).json(), { statusCode: 500, message: 'no room' })
  t.equal(await count(server), 0)
})

t.test('a later onSend hook, like that of @fastify/compress, gets the payload after the commit', async (t) => {
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
