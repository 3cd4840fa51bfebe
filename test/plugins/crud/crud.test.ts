import t from 'tap'
import { crud } from '../../../plugins/index.js'
import { PersonRepository, buildCrud, people } from './tables.js'

t.test('rows are created, read, changed and removed by their routes', async (t) => {
  const server = await buildCrud(t)
  await server.register(crud(PersonRepository, {
    prefix: '/people',
    list: { filterable: ['name'], sortable: ['age'], maxLimit: 2 },
    get: true,
    create: ['name', 'email', 'age'],
    update: ['name', 'age'],
    remove: 'soft',
    hidden: ['passwordHash', 'deletedAt']
  }))
  const created = await server.inject({ method: 'POST', url: '/people', payload: { name: 'Ada', email: 'ada@example.com' } })
  t.equal(created.statusCode, 201, created.body)
  t.match(created.headers, { location: '/people/1', etag: '"1"' })
  const ada = created.json()
  t.same(Object.keys(ada), ['id', 'name', 'email', 'age', 'createdAt', 'updatedAt', 'version'])
  t.match(ada, { id: 1, name: 'Ada', email: 'ada@example.com', age: null, version: 1, createdAt: /^2\d{3}-.*Z$/ })
  t.equal((await server.db.repo(people).getOrThrow(1)).passwordHash, 'hash of ada@example.com', "the repository's own hook has run")

  const read = await server.inject('/people/1')
  t.same(read.json(), ada)
  t.equal(read.headers.etag, '"1"')

  const changed = await server.inject({ method: 'PATCH', url: '/people/1', payload: { age: 36 }, headers: { 'if-match': '"1"' } })
  t.equal(changed.statusCode, 200, changed.body)
  t.match(changed.json(), { age: 36, version: 2 })
  t.equal(changed.headers.etag, '"2"')

  const removed = await server.inject({ method: 'DELETE', url: '/people/1', headers: { 'if-match': '"2"' } })
  t.equal(removed.statusCode, 204, removed.body)
  t.equal(removed.body, '')
  t.equal((await server.inject('/people/1')).statusCode, 404)
  t.equal((await server.db.repo(people).onlyDeleted().getAll()).length, 1, 'the row is marked')
})
