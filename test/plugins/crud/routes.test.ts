import { sql } from 'drizzle-orm'
import { inet, pgTable, text } from 'drizzle-orm/pg-core'
import t from 'tap'
import { crud } from '../../../plugins/index.js'
import { buildCrud, items, people, seats } from './tables.js'

const uuid = '00000000-0000-4000-8000-00000000000'

t.test('pages of a list are linked, in both directions, and keep the query', async (t) => {
  const server = await buildCrud(t)
  await server.db.repo(people).createMany(Array.from({ length: 5 }, (_, n) => ({ name: `P${n}`, email: `p${n}@example.com`, age: n % 2 })))
  await server.register(crud(people, { prefix: '/people', list: { filterable: { name: ['startsWith'] }, sortable: ['age', 'name'], searchable: ['email'], maxLimit: 2 } }))
  const names: string[] = []
  let url = '/people?sort=-age%2Cname&name%5BstartsWith%5D=P'
  const linkOf = (reply: { headers: Record<string, unknown> }, rel: string): string | undefined =>
    new RegExp(`<([^>]*)>; rel="${rel}"`).exec(String(reply.headers['link'] ?? ''))?.[1]
  for (let pages = 0; pages < 3; pages++) {
    const reply = await server.inject(url)
    t.equal(reply.statusCode, 200, reply.body)
    names.push(...reply.json().items.map(({ name }: { name: string }) => name))
    t.equal(linkOf(reply, 'prev') === undefined, pages === 0)
    const next = linkOf(reply, 'next')
    t.equal(next === undefined, pages === 2)
    if (next !== undefined) {
      url = new URL(next, `http://example.com${url}`).href.replace('http://example.com', '')
      t.match(url, /^\/people\?.*name%5BstartsWith%5D=P/)
      continue
    }
    const back = new URL(linkOf(reply, 'prev') as string, `http://example.com${url}`)
    t.same((await server.inject(back.pathname + back.search)).json().items.map(({ name }: { name: string }) => name), names.slice(2, 4))
  }
  t.same(names, ['P1', 'P3', 'P0', 'P2', 'P4'])
  t.equal((await server.inject('/people?search=p4')).json().items.length, 1)
  const whole = await server.inject('/people?search=nobody')
  t.same(whole.json(), { items: [], next: null, previous: null })
  t.equal(whole.headers['link'], undefined)
})

t.test('pages by number tell their place and the total', async (t) => {
  const server = await buildCrud(t)
  await server.db.repo(people).createMany(Array.from({ length: 5 }, (_, n) => ({ name: `P${n}`, email: `p${n}@example.com` })))
  await server.register(crud(people, { prefix: '/people', list: { pages: 'numbered', maxLimit: 2 }, hidden: ['passwordHash'] }))
  const page = async (query: string) => {
    const { headers, json } = await server.inject(`/people${query}`)
    const { items, ...rest } = json()
    return [items.length, rest, headers['link']]
  }
  t.same(await page(''), [2, { page: 1, limit: 2, total: 5, pages: 3 }, '<?page=2>; rel="next", <?page=1>; rel="first", <?page=3>; rel="last"'])
  t.same(await page('?page=3&limit=2'), [1, { page: 3, limit: 2, total: 5, pages: 3 }, '<?limit=2&page=2>; rel="prev", <?limit=2&page=1>; rel="first", <?limit=2&page=3>; rel="last"'])
  t.match((await page('?page=9'))[2], '<?page=3>; rel="prev"')
  t.equal((await server.inject('/people?after=x')).statusCode, 400)
  await server.db.repo(people).deleteMany({}, { all: true })
  t.same(await page('?page=2'), [0, { page: 2, limit: 2, total: 0, pages: 0 }, undefined])
})

t.test('a list has the limits of the repository', async (t) => {
  const server = await buildCrud(t, { repository: { defaultLimit: 2, maxLimit: 3 } })
  await server.db.repo(people).createMany(Array.from({ length: 5 }, (_, n) => ({ name: `P${n}`, email: `p${n}@example.com` })))
  await server.register(crud(people, { prefix: '/people', list: true }))
  t.equal((await server.inject('/people')).json().items.length, 2)
  t.equal((await server.inject('/people?limit=3')).json().items.length, 3)
  t.equal((await server.inject('/people?limit=4')).statusCode, 400)
  t.equal((await server.inject('/people?sort=name')).statusCode, 400)
})

t.test('a composite key has a place in the path for each part', async (t) => {
  const server = await buildCrud(t)
  await server.register(crud(seats, { prefix: '/seats', get: true, create: ['row', 'place', 'guest'], update: ['guest'], remove: 'final' }))
  const place = '9007199254740993'
  const created = await server.inject({ method: 'POST', url: '/seats', payload: { row: 'A/ä', place } })
  t.equal(created.statusCode, 201, created.body)
  t.equal(created.headers['location'], `/seats/A%2F%C3%A4/${place}`)
  t.equal(created.headers['etag'], undefined, 'the table has no version')
  const url = String(created.headers['location'])
  t.same((await server.inject(url)).json(), { row: 'A/ä', place, guest: null })
  t.same((await server.inject({ method: 'PATCH', url, payload: { guest: 'Ada' } })).json(), { row: 'A/ä', place, guest: 'Ada' })
  t.same((await server.inject({ method: 'PATCH', url, payload: {} })).json(), { row: 'A/ä', place, guest: 'Ada' }, 'nothing to change')
  t.same((await server.inject({ method: 'PATCH', url, payload: { guest: null } })).json(), { row: 'A/ä', place, guest: null })
  t.equal((await server.inject({ method: 'PATCH', url: '/seats/A/2', payload: { guest: null } })).statusCode, 404)
  for (const wrong of ['/seats/A/x', '/seats/A/9223372036854775808', '/seats/A/1.5', '/seats/A/null']) t.equal((await server.inject(wrong)).statusCode, 400, wrong)
  t.equal((await server.inject('/seats/A')).statusCode, 404)
  t.equal((await server.inject({ method: 'DELETE', url })).statusCode, 204)
  t.equal((await server.inject({ method: 'DELETE', url })).statusCode, 404)
  t.equal(await server.db.repo(seats).count(), 0)
})

t.test('bodies are what the columns take, and nothing else', async (t) => {
  const server = await buildCrud(t)
  await server.register(crud(items, { prefix: '/items', get: true, create: ['id', 'price', 'note'], update: ['note', 'price'] }))
  const post = async (payload: unknown) => (await server.inject({ method: 'POST', url: '/items', payload: JSON.stringify(payload), headers: { 'content-type': 'application/json' } }))
  t.match((await post({ id: `${uuid}1`, price: '12.50' })).json(), { price: '12.50', note: null })
  const refused: Array<[object | null | string, number]> = [
    [{ id: `${uuid}2`, price: 12.5 }, 400], [{ id: `${uuid}2`, price: null }, 400], [{ id: 'x', price: '1' }, 400], [{ id: `${uuid}2`, price: 'x' }, 400],
    [{ id: `${uuid}2` }, 400], [{ price: '1' }, 400], [{ id: `${uuid}2`, price: '1', secret: 1 }, 400], [{ id: `${uuid}2`, price: '1', constructor: 1 }, 400],
    [{ id: `${uuid}2`, price: '1', note: ['a'] }, 400], [{ id: `${uuid}2`, price: '1', note: 7 }, 400], [{ id: `${uuid}2`, price: '1', note: 'a\u0000' }, 400],
    [[], 400], [null, 400], ['x', 400], [{ id: `${uuid}2`, price: '99999999' }, 400], [{ id: `${uuid}1`, price: '1' }, 409]
  ]
  for (const [body, status] of refused) {
    const reply = await post(body)
    t.equal(reply.statusCode, status, `${JSON.stringify(body)} ${reply.body}`)
  }
  const patch = async (payload: object) => await server.inject({ method: 'PATCH', url: `/items/${uuid}1`, payload })
  t.equal((await patch({ id: `${uuid}3` })).statusCode, 400, 'the key cannot be changed')
  t.match((await patch({ id: `${uuid}3` })).json(), { code: 'DB_VALIDATION', message: 'The body has an unknown property "id"' })
  t.equal((await patch({ price: null })).statusCode, 400)
  t.equal((await patch({ price: '0.01', note: 'x' })).statusCode, 200)
  t.equal(await server.db.repo(items).count(), 1)
  t.equal((await server.inject('/items')).statusCode, 404, 'there is no list')
  t.equal((await server.inject({ method: 'DELETE', url: `/items/${uuid}1` })).statusCode, 404, 'there is no removal')
})

t.test('what the database refuses is answered by its kind, and leaves nothing', async (t) => {
  const server = await buildCrud(t)
  await server.register(crud(people, { prefix: '/people', create: ['name', 'email', 'age', 'passwordHash'], update: ['age'], get: true, hidden: ['passwordHash'], ifMatch: 'optional' }))
  const ada = { name: 'Ada', email: 'ada@example.com' }
  const post = (payload: object) => server.inject({ method: 'POST', url: '/people', payload })
  t.equal((await post({ ...ada, passwordHash: 'given' })).statusCode, 201)
  t.equal((await server.db.repo(people).getOrThrow(1)).passwordHash, 'given', 'a hidden column may be written, if it is named')
  t.match((await post(ada)).json(), { statusCode: 409, code: 'DB_UNIQUE_VIOLATION' })
  t.match((await post({ ...ada, email: 'b', age: -1 })).json(), { statusCode: 422, code: 'DB_CHECK_VIOLATION' })
  t.match((await post({ ...ada, email: 'b', name: 'x'.repeat(21) })).json(), { statusCode: 400 })
  t.match((await server.inject({ method: 'PATCH', url: '/people/1', payload: { age: -1 } })).json(), { statusCode: 422 })
  t.match((await server.inject({ method: 'PATCH', url: '/people/2', payload: { age: 1 } })).json(), { statusCode: 404, code: 'DB_NOT_FOUND' })
  t.equal((await server.inject({ method: 'PATCH', url: '/people/1', payload: { age: 1 } })).statusCode, 200, 'If-Match is optional here')
  t.equal(await server.db.repo(people).count(), 1)
})

t.test('a key may be any text, and its parameter has a name that a path can have', async (t) => {
  const server = await buildCrud(t)
  await server.db.execute(sql`create table hosts ("the-address" inet primary key, name text)`)
  const hosts = pgTable('hosts', { 'the-address': inet().primaryKey(), name: text() })
  await server.register(crud(hosts, { prefix: '/hosts', get: true, create: ['the-address', 'name'] }))
  const { headers, statusCode } = await server.inject({ method: 'POST', url: '/hosts', payload: { 'the-address': '10.1.0.0/16', name: 'a' } })
  t.match({ statusCode, location: headers['location'] }, { statusCode: 201, location: '/hosts/10.1.0.0%2F16' })
  t.same((await server.inject('/hosts/10.1.0.0%2F16')).json(), { 'the-address': '10.1.0.0/16', name: 'a' })
  t.equal((await server.inject('/hosts/10.1.0.1')).statusCode, 404)
  t.match((await server.inject('/hosts/x')).json(), { statusCode: 400, code: 'DB_VALIDATION' })
})
