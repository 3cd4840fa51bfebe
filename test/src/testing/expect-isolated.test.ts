import Fastify from 'fastify'
import t from 'tap'
import { expectIsolated } from '../../../src/testing/index.js'

interface Note {
  readonly id: number
  readonly tenant: string
  text: string
}

type Leak = 'list' | 'read' | 'count' | 'header' | 'create' | 'update' | 'update all' | 'delete' | 'sticky' | 'open'

/** A server whose tenants see one another in one way. */
function build (leak?: Leak) {
  const notes = new Map<number, Note>()
  let last = ''
  const server = Fastify()
  const tenantOf = (headers: Record<string, unknown>) => {
    const tenant = String(headers['x-tenant'] ?? (leak === 'sticky' ? last : ''))
    last = tenant
    return tenant
  }
  const mine = (tenant: string) => [...notes.values()].filter((note) => note.tenant === tenant)
  const find = (id: number, tenant: string, known: Leak) => { const note = notes.get(id); return note?.tenant === tenant || leak === known ? note : undefined }
  const byId = '/notes/:id'
  server.addHook('onRequest', async (request, reply) => { if (leak !== 'open' && tenantOf(request.headers) === '') return await reply.code(401).send({}) })
  server.get('/notes', (request, reply) => {
    if (leak === 'header') reply.header('link', [...notes.values()].map(({ text }) => `</${text}>`).join())
    const isAll = leak === 'list' || (leak === 'open' && request.headers['x-tenant'] === undefined)
    return isAll ? [...notes.values()] : mine(tenantOf(request.headers))
  })
  server.get('/count', (request) => leak === 'count' ? notes.size : mine(tenantOf(request.headers)).length)
  server.post<{ Body: { text: string } }>('/notes', (request, reply) => {
    const note = { id: notes.size + 1, tenant: tenantOf(request.headers), text: request.body.text }
    notes.set(note.id, note)
    return reply.code(201).send(note)
  })
  server.get<{ Params: { id: number } }>(byId, (request, reply) => find(Number(request.params.id), tenantOf(request.headers), 'read') ?? reply.code(404).send({}))
  server.patch<{ Params: { id: number }, Body: { text: string } }>(byId, (request, reply) => {
    if (leak === 'update all') for (const note of notes.values()) note.text = request.body.text
    const note = find(Number(request.params.id), tenantOf(request.headers), 'update')
    if (note === undefined) return reply.code(404).send({})
    note.text = request.body.text
    return {}
  })
  server.delete<{ Params: { id: number } }>(byId, (request, reply) => {
    const note = find(Number(request.params.id), tenantOf(request.headers), 'delete')
    if (note === undefined) return reply.code(404).send({})
    notes.delete(note.id)
    return reply.code(204).send()
  })
  return server
}

const tenants = { a: { 'x-tenant': 'one' }, b: { 'x-tenant': 'two' } }
const create = (text: string) => ({ method: 'POST', url: '/notes', payload: { text } })
const others = ({ id }: { id: number }) => [
  '/notes', '/count', { url: `/notes/${id}` }, { method: 'PATCH', url: `/notes/${id}`, payload: { text: 'taken' } }, { method: 'DELETE', url: `/notes/${id}` }
]

t.test('passes a server whose tenants see and change their own rows only', async () => {
  await expectIsolated(build(), tenants, [{ create, others }])
})

const leaks: ReadonlyArray<readonly [Leak, RegExp]> = [
  ['list', /^The tenants are not isolated:\n- GET \/notes of b answers 200 \[\{"id":1,"tenant":"one","text":"[-\w]{36}"\}.*: it shows a row of a/],
  ['read', /GET \/notes\/1 of b answers 200 .*: it shows a row of a/],
  ['count', /GET \/count of b answers 200 2: the reply has changed because a has created a row/],
  ['header', /GET \/notes of b answers 200 .*: it shows a row of a/],
  ['update', /PATCH \/notes\/1 of b changes a row of a, as GET \/notes of a answers/],
  ['update all', /PATCH \/notes\/\d of b changes a row of a/],
  ['delete', /DELETE \/notes\/1 of b changes a row of a, as .*GET \/notes\/1 of a answers 404/s],
  ['sticky', /GET \/notes without a tenant answers 200 .*: it shows a row of a/],
  ['open', /GET \/notes without a tenant answers 200 .*: it shows a row of a/]
]

for (const [leak, message] of leaks) {
  t.test(`finds a leak: ${leak}`, async (t) => {
    await t.rejects(expectIsolated(build(leak), tenants, [{ create, others }]), { message })
  })
}

t.test('finds a leak in either direction', async (t) => {
  const server = build()
  server.get('/first', (request) => request.headers['x-tenant'] === 'one' ? server.inject({ url: '/notes', headers: tenants.b }).then((reply) => reply.json()) : [])
  await t.rejects(expectIsolated(server, tenants, [{ create, others: () => ['/notes', '/first'] }]), { message: /GET \/first of a answers 200 .*: it shows a row of b/ })
})

t.test('proves that its own requests are right', async (t) => {
  await t.rejects(expectIsolated(build(), tenants, [{ create: () => '/none', others }]), { message: /^GET \/none of a answers 404 .*has to succeed/ })
  await t.rejects(expectIsolated(build(), tenants, [{ create, others: () => ['/notes', { method: 'DELETE', url: '/typo' }] }]), { message: /^DELETE \/typo of a answers 404/ })
  await t.rejects(expectIsolated(build(), tenants, [{ create, others: () => ['/count'] }]), { message: /^No GET of others shows a the marker/ })
  await t.rejects(expectIsolated(build(), tenants, [{ create, others: () => [] }]), { name: 'UsageError', message: /returns an array of requests/ })
})

t.test('a reply to create that is no JSON gives others an empty object', async (t) => {
  const server = build()
  server.post<{ Body: { text: string } }>('/text', async (request) => {
    await server.inject({ ...create(request.body.text), method: 'POST', headers: { 'x-tenant': String(request.headers['x-tenant']) } })
    return 'made'
  })
  const textRequest = (text: string) => ({ ...create(text), url: '/text' })
  const seen: object[] = []
  await expectIsolated(server, tenants, [{ create: textRequest, others: (created) => { seen.push(created); return ['/notes'] } }])
  t.strictSame(seen, [{}, {}])
})
