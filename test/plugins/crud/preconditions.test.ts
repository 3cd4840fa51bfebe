import t from 'tap'
import { crud } from '../../../plugins/index.js'
import { buildCrud, people } from './tables.js'
import type { FastifyInstance } from 'fastify'
import type { Test } from '../../helpers/test.js'

async function buildPeople (t: Test): Promise<FastifyInstance> {
  const server = await buildCrud(t)
  await server.register(crud(people, { prefix: '/people', list: true, get: true, update: ['name'], remove: 'final', hidden: ['passwordHash'] }))
  await server.db.repo(people).create({ name: 'Ada', email: 'ada@example.com' })
  return server
}

const change = (server: FastifyInstance, ifMatch?: string, url = '/people/1') =>
  server.inject({ method: 'PATCH', url, payload: { name: 'Grace' }, ...(ifMatch !== undefined && { headers: { 'if-match': ifMatch } }) })
const drop = (server: FastifyInstance, ifMatch?: string, url = '/people/1') =>
  server.inject({ method: 'DELETE', url, ...(ifMatch !== undefined && { headers: { 'if-match': ifMatch } }) })

t.test('a write without If-Match is refused with 428', async (t) => {
  const server = await buildPeople(t)
  for (const write of [change, drop]) t.match((await write(server)).json(), { statusCode: 428, code: 'DB_VALIDATION', message: /If-Match/ })
  t.match(await server.db.repo(people).getOrThrow(1), { name: 'Ada', version: 1 })
})

t.test('a write for another version is refused with 412, and changes nothing', async (t) => {
  const server = await buildPeople(t)
  for (const tag of ['"2"', '"0"', '"01"', '"x"', '""', 'W/"1"', '"2", "3"', 'W/"1", "2"', '"2147483648"', '"999999999999999"', '"99999999999999999999"', '"1.0"', '"-1"']) {
    for (const write of [change, drop]) t.match((await write(server, tag)).json(), { statusCode: 412, code: 'DB_STALE_ROW' }, tag)
  }
  t.match(await server.db.repo(people).getOrThrow(1), { name: 'Ada', version: 1 })
})

t.test('a write for the version of the row succeeds, also as one of several, or for any', async (t) => {
  const server = await buildPeople(t)
  for (const [place, tag] of ['"1"', ' "2" ', '"x", "3"', '*', ' * ', '"6","5"', ', "7" ,,"9",'].entries()) {
    const reply = await change(server, tag)
    t.equal(reply.statusCode, 200, tag)
    t.equal(reply.headers['etag'], `"${place + 2}"`)
  }
  t.equal((await drop(server, '"8", "9"')).statusCode, 204)
})

t.test('any other form of the headers is refused with 400', async (t) => {
  const server = await buildPeople(t)
  for (const tag of ['1', '', '"', '"1', '"1" "2"', '*, "1"', 'w/"1"', `"${'1'.repeat(5000)}"`, '"a b"', 'W/', '"1";', "'1'"]) {
    for (const write of [change, drop]) t.equal((await write(server, tag)).statusCode, 400, tag)
    t.equal((await server.inject({ url: '/people/1', headers: { 'if-none-match': tag } })).statusCode, 400, tag)
  }
})

t.test('a row that is not there is 404, whatever the header says', async (t) => {
  const server = await buildPeople(t)
  for (const tag of ['"1"', '*', '"1", "2"']) {
    for (const write of [change, drop]) t.equal((await write(server, tag, '/people/7')).statusCode, 404, tag)
  }
})

t.test('of two writes for the same version one succeeds', async (t) => {
  const server = await buildPeople(t)
  const statuses = (await Promise.all([change(server, '"1"'), change(server, '"1", "7"'), drop(server, '"1"')])).map(({ statusCode }) => statusCode)
  t.equal(statuses.filter((status) => status < 300).length, 1, statuses.join())
  t.equal(statuses.every((status) => [200, 204, 404, 412].includes(status)), true, statuses.join())
})

t.test('a reader who has the row gets 304 without it', async (t) => {
  const server = await buildPeople(t)
  const read = (tag: string) => server.inject({ url: '/people/1', headers: { 'if-none-match': tag } })
  for (const tag of ['"1"', 'W/"1"', '*', '"7", W/"1"']) {
    const reply = await read(tag)
    t.equal(reply.statusCode, 304, tag)
    t.equal(reply.body, '')
    t.equal(reply.headers['etag'], '"1"')
  }
  t.equal((await read('"2"')).statusCode, 200)
  t.equal((await server.inject({ method: 'HEAD', url: '/people/1' })).headers['etag'], '"1"')
  t.equal((await server.inject('/people')).headers['etag'], undefined, 'a list has no tag')
})

t.test('a hidden version has no tags, and is asked for by none', async (t) => {
  const server = await buildCrud(t)
  await server.register(crud(people, { prefix: '/people', get: true, update: ['name'], remove: 'soft', hidden: ['version'] }))
  await server.db.repo(people).create({ name: 'Ada', email: 'ada@example.com' })
  t.equal((await server.inject('/people/1')).headers['etag'], undefined)
  t.equal((await change(server)).statusCode, 200)
  t.equal((await drop(server)).statusCode, 204)
  t.equal((await drop(server)).statusCode, 404)
})
