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

/** One connection was used, and went back to the pool. */
const reused = { acquired: 1, destroyed: 0 }

const count = (server: FastifyInstance) => server.db.repo(users).count()

t.test('26: a header that cannot be written is a logged 500; committed rows stay', async (t) => {
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

t.test('26: an onSend hook that throws after the commit is a logged 500; committed rows stay', async (t) => {
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

t.test('27: a stream that breaks before its first byte is 500; committed rows stay', async (t) => {
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

t.test('27: a web stream or Response that breaks before its first byte is 500, later it is cut', async (t) => {
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

t.test('27: a stream that breaks after its first byte is cut and logged; committed rows stay', async (t) => {
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
