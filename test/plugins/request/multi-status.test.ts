import t from 'tap'
import { users } from '../../helpers/schema.js'
import { build } from '../../helpers/server.js'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** A batch as tRPC runs it: every part in a scope of its own, which tells instead of throwing. */
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
