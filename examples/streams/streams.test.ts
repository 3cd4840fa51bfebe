import Fastify from 'fastify'
import t, { type Test } from 'tap'
import dataAccess from '../../plugins/index.js'
import { createTestDatabase, expectNoLeaks } from '../../src/testing/index.js'
import { routes } from './routes.js'
import { people } from './schema.js'

const table = `create table people (
  id integer primary key generated always as identity, name text not null, email text not null unique, handed_over boolean not null default false)`

async function serve (t: Test) {
  const { connectionString } = await createTestDatabase(t, { migrate: (database) => database.query(table), templateKey: table })
  const server = Fastify()
  await server.register(dataAccess, { connectionString, schema: { people } })
  await server.register(routes)
  t.teardown(async () => {
    await expectNoLeaks(server.db)
    await server.close()
  })
  const send = (lines: readonly string[]) => server.inject({
    method: 'POST', url: '/people/import', headers: { 'content-type': 'application/x-ndjson' }, payload: lines.join('\n')
  })
  return { server, send }
}

const person = (n: number) => JSON.stringify({ name: `Person "${n}"`, email: `${n}@example.com` })
const lines = (count: number) => Array.from({ length: count }, (_, n) => person(n))

t.test('an import of many lines is stored, and exported again', async (t) => {
  const { server, send } = await serve(t)
  const imported = await send(lines(2500))
  t.strictSame([imported.statusCode, imported.json()], [201, { imported: 2500 }])
  const csv = await server.inject('/people.csv')
  t.equal(csv.headers['content-type'], 'text/csv')
  t.strictSame(csv.body.split('\n').slice(0, 2), ['name,email', '"Person ""0""","0@example.com"'])
  t.equal(csv.body.trim().split('\n').length, 2501)
})

t.test('an import is stored as a whole, or not at all', async (t) => {
  const { server, send } = await serve(t)
  const malformed = await send([...lines(1500), '{"name":'])
  t.match([malformed.statusCode, malformed.json()], [400, { message: 'Line 1501 is no person' }])
  t.equal((await send([...lines(1500), person(7)])).statusCode, 409)
  t.equal(await server.db.repo(people).count(), 0)
})

t.test('an import that PostgreSQL refuses is answered with the line', async (t) => {
  const { server, send } = await serve(t)
  await send(lines(1))
  const twice = await send(['', ...lines(2000).slice(1), '', person(7)])
  t.match([twice.statusCode, twice.json()], [409, { code: 'DB_UNIQUE_VIOLATION', message: 'Line 2002: A row with the same unique value already exists' }])
  const stored = await send([person(1), '', person(0)])
  t.match([stored.statusCode, stored.json()], [409, { message: 'Line 3: A row with the same unique value already exists' }])
  const unfit = await send([person(1), JSON.stringify({ name: 'a\0b', email: 'a@example.com' })])
  t.match([unfit.statusCode, unfit.json()], [400, { code: 'DB_VALIDATION', message: /^Line 2: / }])

  await server.db.query('create unique index people_email_lower on people (lower(email))')
  const byExpression = await send([JSON.stringify({ name: 'Ada', email: 'X@example.com' }), JSON.stringify({ name: 'Ada', email: 'x@example.com' })])
  t.match([byExpression.statusCode, byExpression.json()], [409, { message: /^A row with the same unique value/ }], 'PostgreSQL names no value that was sent')
  t.equal(await server.db.repo(people).count(), 1)
})

t.test('a reply that writes while it is sent is committed with its last bytes', async (t) => {
  const { server, send } = await serve(t)
  await send(lines(3))
  const handOver = async () => (await server.inject({ method: 'POST', url: '/people/hand-over' })).body
  t.equal((await handOver()).trim().split('\n').length, 3)
  t.equal(await handOver(), '')
  t.equal(await server.db.repo(people).count({ handedOver: true }), 3)
})

t.test('a reply of server-sent events follows its commit', async (t) => {
  const { server } = await serve(t)
  const reply = await server.inject({ method: 'POST', url: '/people/watched', payload: { name: 'Ada', email: 'ada@example.com' } })
  t.equal(reply.statusCode, 201)
  t.match(reply.body, /^event: created\ndata: {"id":1,"name":"Ada".*\n\nevent: done/)
  t.equal(await server.db.repo(people).count(), 1)
})
