import { Readable } from 'node:stream'
import { sql } from 'drizzle-orm'
import t from 'tap'
import { payloads } from '../../helpers/payloads.js'
import { users } from '../../helpers/schema.js'
import { build } from '../../helpers/server.js'
import { ask, dressed, dresses, kindsUnder, ok } from '../../helpers/streaming.js'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Pieces } from '../../helpers/payloads.js'

const [ada, grace] = [{ email: 'ada@example.com' }, { email: 'grace@example.com' }]

const names = async (server: FastifyInstance): Promise<string[]> => (await server.db.repo(users).getAll()).map(({ email }) => email)
const greeting: Pieces = async function * () { yield 'one, '; yield 'two, '; yield 'three' }

type Send = (kind: string, ways: { request: FastifyRequest, reply: FastifyReply }) => unknown

/** Ways to go on with the transaction after a stream has been sent. */
const goingOn: Record<string, Send> = {
  'a-statement-behind-it': async (kind, { request, reply }) => {
    await request.repo(users).create(ada)
    reply.send(payloads[kind]?.(greeting))
    await request.repo(users).create(grace)
    return reply
  },
  'a-statement-behind-it-that-is-cancelled': async (kind, { request, reply }) => {
    await request.repo(users).create(ada)
    reply.send(payloads[kind]?.(greeting))
    await request.db.execute(sql`select pg_sleep(60)`)
    return reply
  },
  'a-statement-that-nobody-awaited': async (kind, { request }) => {
    request.repo(users).create(ada)
    return payloads[kind]?.(greeting)
  },
  'a-scope-that-nobody-awaited': async (kind, { request }) => {
    request.transaction((scope) => scope.repo(users).create(ada))
    return payloads[kind]?.(greeting)
  },
  'a-read-that-nobody-awaited': async (kind, { request }) => {
    await request.repo(users).create(ada)
    request.repo(users).count()
    return payloads[kind]?.(greeting)
  }
}

t.test('103: a stream sent while a statement of its request runs is 500, and nothing is saved', async (t) => {
  for (const dress of dresses) {
    const server = await dressed(t, dress)
    for (const [way, send] of Object.entries(goingOn)) {
      for (const kind of kindsUnder(dress)) {
        server.get(`/${way}/${kind}`, async (request, reply) => await send(kind, { request, reply: reply.type('text/plain') }))
      }
    }
    for (const way of Object.keys(goingOn)) {
      for (const kind of kindsUnder(dress)) {
        const name = `${dress}, ${way}, ${kind}`
        const { status, body } = await ask(server, `/${way}/${kind}`)
        t.equal(status, 500, name)
        t.match(JSON.parse(String(body)), { code: 'DB_TRANSACTION_CLOSED', message: /Await every statement before the stream is sent.*commit: 'atEnd'/ }, name)
        t.equal((await ask(server, `/${way}/${kind}`, { method: 'HEAD' })).status, 500, `${name}, HEAD`)
        t.strictSame(await names(server), [], name)
      }
    }
  }
})

t.test('any kind of stream sent after all statements arrives whole, after its rows are committed', async (t) => {
  for (const dress of dresses) {
    const server = await dressed(t, dress)
    for (const [kind, payload] of Object.entries(payloads)) {
      server.get(`/${kind}`, async (request) => {
        await request.repo(users).create({ email: kind })
        return payload(greeting)
      })
      server.get(`/sent/${kind}`, async (request, reply) => {
        await request.repo(users).create({ email: `${kind} sent` })
        reply.type('text/plain').send(payload(greeting))
        return reply
      })
    }
    for (const kind of kindsUnder(dress)) {
      const begun = async (): Promise<void> => { t.ok((await names(server)).includes(kind), `${dress}, ${kind}, there with the first byte`) }
      t.match(await ask(server, `/${kind}`, { begun }), { status: ok(kind), body: 'one, two, three' }, `${dress}, ${kind}`)
      t.match(
        await ask(server, `/sent/${kind}`),
        { status: ok(kind), body: 'one, two, three', encoding: dress === 'bare' ? null : 'gzip' },
        `${dress}, ${kind}, sent`
      )
    }
    t.equal((await names(server)).length, 2 * kindsUnder(dress).length)
  }
})

t.test('a stream on a route with retries is destroyed by a conflict, and made again', async (t) => {
  const server = await build(t, { transaction: { retries: 1 } })
  const made: Readable[] = []
  server.get('/', async (request) => {
    await request.repo(users).create(ada)
    if (made.length === 0) request.db.beforeCommit(async () => { await request.db.execute(sql`do $$ begin raise exception using errcode = '40001'; end $$`) })
    made.push(Readable.from(['whole']))
    return made.at(-1)
  })

  t.match(await ask(server, '/'), { status: 200, body: 'whole' })
  t.strictSame(made.map(({ destroyed }) => destroyed), [true, true])
  t.strictSame(await names(server), [ada.email])
})

/** A batch as in tRPC: every part runs in a scope of its own, and reports an error instead of throwing it. */
async function batch (request: FastifyRequest): Promise<Array<{ ok: boolean }>> {
  const part = (email: string, ok: boolean) => request.transaction(async (scope) => {
    await request.repo(users).create({ email })
    if (!ok) scope.rollbackOnly()
    return { ok }
  })
  return await Promise.all([part('ada', true), part('failed', false), part('grace', true)])
}

t.test('105: a 207 from a batch of which one part failed commits only where the route says so', async (t) => {
  const server = await build(t)
  const says = { config: { transaction: { commitOn: (reply: FastifyReply) => reply.statusCode < 400 } } }
  const send = async (request: FastifyRequest, reply: FastifyReply) => reply.code(207).send(await batch(request))
  server.post('/plain', send)
  server.post('/says', says, send)
  server.post('/repeated', { config: { transaction: { retries: 1 } } }, async (request, reply) => { reply.code(207); return await batch(request) })
  server.post('/response', async (request) => new Response(JSON.stringify(await batch(request)), { status: 207 }))
  server.post('/all', async (request, reply) => reply.code(208).send(await batch(request)))

  const emails = async () => (await server.db.repo(users).getAll()).map(({ email }) => email)
  for (const [url, statusCode, expected] of [['/plain', 207, []], ['/repeated', 207, []], ['/response', 207, []], ['/says', 207, ['ada', 'grace']]] as const) {
    t.equal((await server.inject({ method: 'POST', url })).statusCode, statusCode, url)
    t.same(await emails(), expected, url)
  }
  await server.db.repo(users).deleteMany({}, { all: true })
  t.equal((await server.inject({ method: 'POST', url: '/all' })).statusCode, 208)
  t.same(await emails(), ['ada', 'grace'])
})
