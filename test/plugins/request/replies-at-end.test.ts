import { Readable } from 'node:stream'
import { sql } from 'drizzle-orm'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import t from 'tap'
import { connectionsOf } from '../../helpers/connections.js'
import { deferred } from '../../helpers/deferred.js'
import { recordLog } from '../../helpers/log-stream.js'
import { payloads } from '../../helpers/payloads.js'
import { requestText, sendRaw } from '../../helpers/raw-client.js'
import { posts, users } from '../../helpers/schema.js'
import { build } from '../../helpers/server.js'
import { ask, kindsUnder } from '../../helpers/streaming.js'
import { until } from '../../helpers/until.js'
import type { Pieces } from '../../helpers/payloads.js'

const transaction = { commit: 'atEnd' } as const
const count = (server: FastifyInstance): Promise<number> => server.db.repo(users).count()
/** Makes COMMIT fail. */
const failing = async (request: FastifyRequest): Promise<void> => {
  await request.db.execute(sql`set constraints all deferred`)
  await request.repo(posts).create({ userId: 4711, title: 'of nobody' })
}

/** Writes before its stream, within it, and after the sent pieces. */
function streaming (request: FastifyRequest, end: () => Promise<void> = async () => {}): Pieces {
  return async function * () {
    yield 'one, '
    await request.repo(users).create({ email: 'in the stream' })
    yield 'two, '
    await end()
    yield 'three'
  }
}

t.test('with atEnd a one-chunk stream whose COMMIT fails is the error, without stream headers', async (t) => {
  const server = await build(t, { transaction })
  server.get('/', async (request, reply) => {
    await failing(request)
    reply.headers({ etag: '"one"', 'content-length': 3 })
    return Readable.from(['one'])
  })
  const answer = await server.inject('/')

  t.match(answer.json(), { statusCode: 409, code: 'DB_FOREIGN_KEY_VIOLATION' })
  t.notOk(answer.headers.etag)
  t.equal(answer.headers['content-length'], String(answer.body.length))
})

t.test('with atEnd a stream that breaks midway keeps nothing, of every kind, and is never whole', async (t) => {
  const server = await build(t, { transaction })
  server.get<{ Params: { kind: string } }>('/:kind', async (request) => payloads[request.params.kind]?.(streaming(
    request,
    async () => { throw new Error('the disk is gone') }
  )))
  for (const kind of kindsUnder('bare')) {
    const answer = await ask(server, `/${kind}`).catch(() => ({ status: 0, body: undefined }))
    t.ok(answer.body === undefined || answer.status >= 400, `${kind}: ${JSON.stringify(answer)}`)
    t.equal(await count(server), 0, kind)
  }
})

t.test('with atEnd a piece that is no text and no bytes keeps nothing, and does not end the process', async (t) => {
  const server = await build(t, { transaction })
  const odd: Record<string, () => unknown> = {
    object: () => Readable.from([{ a: 1 }]),
    web: () => ReadableStream.from([{ a: 1 }]),
    undefined: () => ReadableStream.from(['', undefined]),
    locked: () => {
      const stream = ReadableStream.from([Buffer.from('read by others')])
      stream.getReader()
      return stream
    },
    response: () => {
      const response = new Response('read by others')
      response.body?.getReader()
      return response
    }
  }
  server.get<{ Params: { name: string } }>('/:name', async (request) => {
    await request.repo(users).create({ email: request.params.name })
    return odd[request.params.name]?.()
  })
  for (const name of Object.keys(odd)) {
    t.equal((await ask(server, `/${name}`)).status, 500, name)
    t.equal(await count(server), 0, name)
  }
})

t.test('with atEnd a client that leaves midway saves nothing; its stream is destroyed', async (t) => {
  for (const kind of kindsUnder('bare')) {
    const log = recordLog()
    const server = await build(t, { transaction, server: { logger: log.logger } })
    const connections = connectionsOf(server.db)
    const left = deferred()
    let refused: unknown
    server.get('/', async (request) => payloads[kind]?.(streaming(request, async () => {
      await left.promise
      await request.repo(users).create({ email: 'too late' }).catch((error) => { refused = error })
    })))

    const client = await sendRaw(server, requestText('GET', '/'))
    await until(() => client.text.includes('one, '))
    await client.leave()
    await until(() => server.db.poolInfo.inUse === 0)
    left.resolve()
    await until(() => refused !== undefined)

    t.match(refused, { code: 'DB_TRANSACTION_CLOSED', message: /client has left/ }, kind)
    t.match(connections(), { acquired: 1 }, kind)
    t.equal(await count(server), 0, kind)
    t.strictSame(log.lines(50), [], kind)
  }
})

t.test('with atEnd a stream whose status claims no success is sent, and nothing is kept', async (t) => {
  const server = await build(t, { transaction })
  server.get('/', async (request, reply) => {
    await request.repo(users).create({ email: 'before it' })
    reply.code(422)
    return Readable.from(['no, ', 'thanks'])
  })

  t.match(await ask(server, '/'), { status: 422, body: 'no, thanks' })
  t.equal(await count(server), 0)
})

t.test('with atEnd a reply without a body commits before its headers; rolled back, it saves nothing', async (t) => {
  const server = await build(t, { transaction })
  server.get('/:code', async (request, reply) => {
    reply.code(Number((request.params as { code: string }).code))
    return Readable.from(streaming(request, async () => { if (reply.statusCode === 304) request.db.rollbackOnly() })())
  })

  t.equal((await ask(server, '/204')).status, 204)
  t.equal(await count(server), 1)
  await server.db.repo(users).deleteMany({}, { all: true })
  t.equal((await ask(server, '/304')).status, 304)
  t.equal((await ask(server, '/200')).body, 'one, two, three')
  t.equal(await count(server), 1)
})

t.test('with atEnd an error after a sent stream replaces it; a second reply is dropped', async (t) => {
  const server = await build(t, { transaction })
  const [held, holding] = [deferred(), deferred()]
  const sent = (request: FastifyRequest, reply: FastifyReply): void => {
    reply.send(Readable.from((async function * () {
      await request.repo(users).create({ email: 'in the stream' })
      holding.resolve()
      await held.promise
      yield 'whole'
    })()))
  }
  server.get('/second', async (request, reply) => {
    sent(request, reply)
    await holding.promise
    reply.send(Readable.from(['second']))
    held.resolve()
    return reply
  })
  server.get('/error', async (request, reply) => {
    sent(request, reply)
    await holding.promise
    throw new Error('a slip')
  })

  t.match(await ask(server, '/second'), { status: 200, body: 'whole' })
  t.equal(await count(server), 1)
  await server.db.repo(users).deleteMany({}, { all: true })
  t.equal((await ask(server, '/error')).status, 500)
  t.equal(await count(server), 0)
})

t.test('with atEnd earlier routes and not-found handlers stream in their transaction, too', async (t) => {
  const server = await build(t, {
    transaction,
    before: (server) => {
      server.get('/before', async (request) => Readable.from(streaming(request)()))
      server.setNotFoundHandler(async (request) => Readable.from(streaming(request)()))
    }
  })
  for (const url of ['/before', '/nowhere']) {
    t.equal((await ask(server, url)).body, 'one, two, three', url)
    t.equal(await count(server), 1, url)
    await server.db.repo(users).deleteMany({}, { all: true })
  }
})

t.test('with atEnd a stream after an early commit is sent as it is; a text waits for COMMIT', async (t) => {
  const server = await build(t, { transaction })
  server.get('/early', async (request) => {
    await request.repo(users).create({ email: 'before it' })
    await request.db.commit()
    return Readable.from(['whole'])
  })
  server.get('/text', async (request) => {
    await request.repo(users).create({ email: 'with it' })
    return 'whole'
  })

  t.equal((await ask(server, '/early')).body, 'whole')
  t.equal((await ask(server, '/text')).body, 'whole')
  t.equal(await count(server), 2)
})
