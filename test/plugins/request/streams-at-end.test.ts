import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, type Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { sql } from 'drizzle-orm'
import type { FastifyInstance, FastifyRequest, FastifyServerOptions } from 'fastify'
import t from 'tap'
import { recordLog } from '../../helpers/log-stream.js'
import { payloads } from '../../helpers/payloads.js'
import { requestText, sendRaw } from '../../helpers/raw-client.js'
import { posts, users } from '../../helpers/schema.js'
import { build, buildByProxy } from '../../helpers/server.js'
import { ask, dressed, dresses, kindsUnder, ok } from '../../helpers/streaming.js'
import { secret } from '../../helpers/tls-proxy.js'
import type { Pieces } from '../../helpers/payloads.js'

const transaction = { commit: 'atEnd' } as const
const count = (server: FastifyInstance): Promise<number> => server.db.repo(users).count()
const textOf = async (server: FastifyInstance): Promise<string[]> => (await server.db.repo(users).getAll()).map(({ email }) => email)
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

t.test('104: with atEnd any kind of stream writes in its transaction, and ends after COMMIT', async (t) => {
  for (const dress of dresses) {
    const server = await dressed(t, dress, transaction)
    const kinds = kindsUnder(dress)
    for (const kind of kinds) {
      server.get(`/${kind}`, async (request) => {
        await request.repo(users).create({ email: 'before it' })
        return payloads[kind]?.(streaming(request))
      })
      server.get(`/first/${kind}`, async (request, reply) => {
        reply.type('text/plain').send(payloads[kind]?.(streaming(request)))
        await request.repo(users).create({ email: 'behind it' })
        return reply
      })
    }
    for (const kind of kinds) {
      for (const [url, others] of [[`/${kind}`, ['before it']], [`/first/${kind}`, ['behind it']]] as const) {
        for (const method of ['GET', 'HEAD']) {
          const name = `${dress}, ${method} ${url}`
          t.match(await ask(server, url, { method }), { status: ok(kind), body: method === 'HEAD' ? '' : 'one, two, three' }, name)
          t.strictSame((await textOf(server)).sort(), [...others, 'in the stream'].sort(), name)
          await server.db.repo(users).deleteMany({}, { all: true })
        }
      }
    }
  }
})

t.test('104: a COMMIT that fails breaks the connection before the last bytes, of every kind', async (t) => {
  for (const dress of dresses) {
    const server = await dressed(t, dress, transaction)
    server.get<{ Params: { kind: string } }>('/:kind', async (request, reply) => {
      await request.repo(users).create({ email: 'before it' })
      reply.type('text/plain')
      return payloads[request.params.kind]?.(streaming(request, () => failing(request)))
    })
    for (const kind of kindsUnder(dress)) {
      const refused = await ask(server, `/${kind}`).catch(() => ({ status: 0, body: undefined }))
      t.ok(refused.body === undefined || refused.status >= 400, `${dress}, ${kind}: ${JSON.stringify(refused)}`)
      t.ok((await ask(server, `/${kind}`, { method: 'HEAD' })).status >= 400, `${dress}, HEAD ${kind}`)
      t.equal(await count(server), 0, `${dress}, ${kind}`)
    }
  }
})

t.test('104: the answer to COMMIT is lost: the reply never comes whole', async (t) => {
  const log = recordLog()
  const { server, proxy } = await buildByProxy(t, { transaction, server: { logger: log.logger } })
  server.get('/', async (request) => Readable.from(streaming(request)()))
  const lost = proxy.loseAnswer('commit')

  const client = await sendRaw(server, requestText('GET', '/'))
  await client.ended
  await lost

  t.match(client.text, /^HTTP\/1\.1 200 .*one, /s)
  t.notMatch(client.text, /three|\r\n0\r\n\r\n$/)
  t.match(log.lines(50).find(({ msg }) => /broken off/.test(msg)), { outcome: 'unknown', err: { code: 'DB_COMMIT_UNKNOWN' } })
})

t.test('104: with content-length the last byte waits for COMMIT, and a longer body is undone', async (t) => {
  const server = await build(t, { transaction })
  server.get<{ Params: { length: number } }>('/:length', async (request, reply) => {
    reply.header('content-length', request.params.length)
    return Readable.from(streaming(request, () => failing(request))())
  })
  for (const length of [10, 13, 15]) {
    t.equal((await ask(server, `/${length}`)).body, undefined, String(length))
    t.equal(await count(server), 0, String(length))
  }
})

t.test('104: the connection is broken off, whatever carries the reply', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'socket-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const carriers: Record<string, (server: FastifyInstance) => Promise<Duplex>> = {
    tcp: async (server) => {
      await server.listen({ host: '127.0.0.1', port: 0 })
      return connect((server.server.address() as AddressInfo).port, '127.0.0.1')
    },
    tls: async (server) => {
      await server.listen({ host: '127.0.0.1', port: 0 })
      return connectTls({ ...secret.client, host: '127.0.0.1', port: (server.server.address() as AddressInfo).port })
    },
    local: async (server) => {
      await server.listen({ path: join(folder, 'server') })
      return connect(join(folder, 'server'))
    }
  }
  for (const [name, carrier] of Object.entries(carriers)) {
    const server = await build(t, { transaction, ...(name === 'tls' && { server: { https: secret.server } as FastifyServerOptions }) })
    server.get('/', async (request) => Readable.from(streaming(request, () => failing(request))()))
    const socket = await carrier(server)
    let text = ''
    socket.setEncoding('latin1').on('data', (chunk: string) => { text += chunk }).on('error', () => {})
    socket.write(requestText('GET', '/'))
    await new Promise((resolve) => socket.once('close', resolve))

    t.match(text, /^HTTP\/1\.1 200 .*one, /s, name)
    t.notMatch(text, /three|\r\n0\r\n\r\n$/, name)
    t.equal(await count(server), 0, name)
  }
  const server = await build(t, { transaction })
  server.get('/', async (request) => Readable.from(streaming(request, () => failing(request))()))
  await t.rejects(server.inject('/'), 'inject')
  t.equal(await count(server), 0, 'inject')
})
