import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { processesOf, startExample } from '../helpers/example.js'

const program = new URL('../../examples/quickstart/server.ts', import.meta.url)

t.test('the quickstart serves CRUD, refuses invalid requests, and keeps its rows over a restart', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'quickstart-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const { ask, end } = await startExample(t, program, folder)

  t.equal((await ask('GET', '/users?limit=1000')).body.length, 200, 'two hundred users are there from the start')
  t.equal((await ask('GET', '/users/1/posts')).body.length > 0, true, 'with posts')

  const ada = { name: 'Ada Lovelace', email: 'ada@example.com' }
  const created = await ask('POST', '/users', ada)
  t.match(created, { status: 201, body: { ...ada, isActive: true, createdAt: /^\d{4}-.*Z$/ } })
  const path = `/users/${created.body.id}`
  t.strictSame((await ask('GET', path)).body, created.body)
  t.match(await ask('PATCH', path, { name: 'Augusta Ada King' }), { status: 200, body: { id: created.body.id, name: 'Augusta Ada King', email: ada.email } })
  t.match(await ask('GET', '/users?limit=2'), { status: 200, body: [{ id: created.body.id }, {}] }, 'the newest first')
  t.match(
    await ask('POST', `${path}/posts`, { title: 'Note G', body: 'The engine weaves algebraic patterns.' }),
    { status: 201, body: { authorId: created.body.id } }
  )
  t.match(await ask('GET', `${path}/posts`), { status: 200, body: [{ title: 'Note G' }] })

  t.match(await ask('POST', '/users', ada), { status: 409, body: { code: 'DB_UNIQUE_VIOLATION' } })
  t.match(await ask('GET', '/users/999999'), { status: 404, body: { code: 'DB_NOT_FOUND' } })
  t.match(await ask('POST', '/users/999999/posts', { title: 'x', body: 'x' }), { status: 404 })
  t.match(await ask('POST', '/users', { name: 'No e-mail' }), { status: 400 })
  t.match(await ask('POST', '/users', { name: '', email: 'nobody' }), { status: 400 })
  t.match(await ask('PATCH', path, {}), { status: 400 })
  t.match(await ask('GET', '/users/1e99'), { status: 400 })

  t.match(await ask('GET', '/health/database'), { status: 200 })
  t.match(await ask('GET', '/health/database/pool'), { status: 200, body: { waiting: 0 } })
  t.match((await ask('GET', '/docs/json')).body.paths, { '/users/{id}': { get: {}, patch: {}, delete: {} } })

  t.equal((await ask('DELETE', '/users/2')).status, 204)
  t.equal((await ask('DELETE', '/users/2')).status, 404)

  t.ok(processesOf(folder).length > 0, 'PostgreSQL runs')
  t.strictSame(await end('SIGINT'), [0, null])
  t.strictSame(processesOf(folder), [], 'and ends with the server')

  const second = await startExample(t, program, folder)
  t.match(await second.ask('GET', path), { status: 200, body: { name: 'Augusta Ada King' } })
  t.equal((await second.ask('GET', '/users?limit=1000')).body.length, 200, 'seeded once')
  t.strictSame(await second.end('SIGTERM'), [0, null])
  t.strictSame(processesOf(folder), [])
})
