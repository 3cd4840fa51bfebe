import t, { type Test } from 'tap'
import { schema, users } from '../helpers/schema.js'
import { build } from '../helpers/server.js'
import type { FastifyInstance } from 'fastify'
import type { BuildOptions } from '../helpers/server.js'

const user = { type: 'object', properties: { id: { type: 'integer' }, email: { type: 'string' } } } as const
const list = { response: { 200: { type: 'array', items: user } } }
const json = 'application/json; charset=utf-8'

/** A server with two users. */
async function buildWithUsers (t: Test, options?: BuildOptions): Promise<FastifyInstance> {
  const server = await build(t, options)
  await server.db.repo(users).createMany([{ email: 'ada@example.com' }, { email: 'bob@example.com' }])
  return server
}

t.test('a handler returns JSON, or sends it, and the reply is the one of the rows', async (t) => {
  const server = await buildWithUsers(t)
  server.get('/rows', { schema: list }, (request) => request.repo(users).getAll())
  server.get('/returned', { schema: list }, (request) => request.repo(users).json(user).getAll())
  server.get('/sent', { schema: list }, async (request, reply) => { reply.send(await request.repo(users).json(user).getAll()); return reply })
  server.get('/plain', (request) => request.repo(users).json(user).getAll())
  server.get('/text', async (request, reply) => reply.type(json).send(String(await request.repo(users).json(user).getAll())))

  const rows = await server.inject('/rows')
  t.equal(rows.body, '[{"id":1,"email":"ada@example.com"},{"id":2,"email":"bob@example.com"}]')
  for (const url of ['/returned', '/sent', '/plain', '/text']) {
    const reply = await server.inject(url)
    t.strictSame([reply.statusCode, reply.body, reply.headers['content-type'], reply.headers['content-length']],
      [200, rows.body, json, rows.headers['content-length']], url)
  }
  const head = await server.inject({ method: 'HEAD', url: '/returned' })
  t.strictSame([head.body, head.headers['content-length']], ['', rows.headers['content-length']])
})

t.test('one row, a missing one, and a type of the route\'s own', async (t) => {
  const server = await buildWithUsers(t)
  server.get('/:id', { schema: { response: { 200: user } } }, (request) => request.repo(users).json(user).getOrThrow(Object(request.params).id))
  server.get('/hal/:id', (request, reply) => { reply.type('application/hal+json'); return request.repo(users).json(user).get(Object(request.params).id) })

  t.equal((await server.inject('/2')).body, '{"id":2,"email":"bob@example.com"}')
  t.match((await server.inject('/7')).json(), { statusCode: 404, code: 'DB_NOT_FOUND' })
  t.match(await server.inject('/hal/2'), { headers: { 'content-type': 'application/hal+json; charset=utf-8' }, body: '{"id":2,"email":"bob@example.com"}' })
  t.match(await server.inject('/hal/7'), { statusCode: 200, body: '' })
})

t.test('the read is a part of the request\'s transaction', async (t) => {
  const server = await buildWithUsers(t)
  server.post('/', async (request, reply) => {
    await request.repo(users).create({ email: 'eve@example.com' })
    reply.code(201)
    return await request.repo(users).json(user).getBy({ email: 'eve@example.com' })
  })
  server.post('/refused', async (request, reply) => {
    await request.repo(users).updateMany({}, { balance: 5 }, { all: true })
    reply.code(409)
    return await request.repo(users).json(user).getAll()
  })
  server.get('/again', { config: { transaction: { retries: 2, isolationLevel: 'serializable' } } }, (request) => request.repo(users).json(user).getAll())

  t.match(await server.inject({ method: 'POST', url: '/' }), { statusCode: 201, body: '{"id":3,"email":"eve@example.com"}' })
  t.match(await server.inject({ method: 'POST', url: '/refused' }), { statusCode: 409 })
  t.equal(await server.db.repo(users).count({ balance: 5 }), 0)
  t.equal((await server.inject('/again')).json().length, 3)
})

t.test('onSend hooks see the text, and a hook may put it into other JSON', async (t) => {
  const server = await buildWithUsers(t)
  const seen: unknown[] = []
  server.get('/', { onSend: async (_request, _reply, payload) => { seen.push(payload) } }, (request) => request.repo(users).json(user).getAll())
  server.get('/wrapped', { preSerialization: async (_request, _reply, payload) => ({ data: payload }) }, (request) => request.repo(users).json(user).get(1))

  const { body } = await server.inject('/')
  t.strictSame(seen, [body])
  t.equal((await server.inject('/wrapped')).body, '{"data":{"id":1,"email":"ada@example.com"}}')
})

t.test('an error in place of the JSON has the serializer of its route', async (t) => {
  const server = await buildWithUsers(t, { errors: { format: 'envelope' } })
  const problem = { type: 'object', properties: { success: { type: 'boolean' } } }
  const response = { 200: user, 500: { content: { 'application/json': { schema: problem } } } }
  const onSend = async (): Promise<never> => { throw new Error('the hook has failed') }
  server.get('/', { schema: { response }, onSend: [async (_request, reply) => { if (reply.statusCode === 200) await onSend() }] }, (request) =>
    request.repo(users).json(user).get(1))

  t.match(await server.inject('/'), { statusCode: 500, body: '{"success":false}' })
})

t.test('a reply of the program\'s own serializer stays', async (t) => {
  const server = await buildWithUsers(t, { schema })
  server.get('/', (_request, reply) => { reply.serializer(() => 'own').send({}) })
  t.equal((await server.inject('/')).body, 'own')
})
