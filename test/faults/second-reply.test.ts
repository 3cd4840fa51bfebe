import { createReadStream } from 'node:fs'
import { PassThrough, Readable } from 'node:stream'
import { sql } from 'drizzle-orm'
import type { FastifyInstance, FastifyReply } from 'fastify'
import t from 'tap'
import type { Session } from '../../plugins/index.js'
import { recordLog } from '../helpers/log-stream.js'
import { requestText, sendRaw } from '../helpers/raw-client.js'
import { posts, users } from '../helpers/schema.js'
import { build } from '../helpers/server.js'
import { until } from '../helpers/until.js'

const ada = { email: 'ada@example.com' }

const count = (server: FastifyInstance) => server.db.repo(users).count()

/** A post of nobody: refused only when the transaction commits. */
async function createOrphan (session: Session): Promise<void> {
  await session.execute(sql`set constraints all deferred`)
  await session.repo(posts).create({ userId: 404, title: 'nobody wrote this' })
}

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
