import assert from 'node:assert/strict'
import { after, afterEach, beforeEach, test } from 'node:test'
import { checkMigrations } from 'fastify-data-access/migrations'
import { createTestDatabase, expectNoLeaks, sandbox, type Sandbox } from 'fastify-data-access/testing'
import { buildServer } from './build-server.js'
import * as schema from './schema.js'
import { notes } from './schema.js'

// A database of its own, in an embedded PostgreSQL, or in that of DATABASE_URL. The file .env is not read.
const { connectionString, drop } = await createTestDatabase(undefined, { migrations: './drizzle' })
const server = await buildServer(connectionString)
after(async () => {
  await expectNoLeaks(server.db)
  await server.close()
  await drop()
})

// All writes of a test are undone at its end.
let box: Sandbox
beforeEach(async () => { box = await sandbox(server) })
afterEach(() => box.rollback())

test('creates a note, and reads it again', async () => {
  const created = await server.inject({ method: 'POST', url: '/notes', payload: { title: 'Bread' } })
  assert.equal(created.statusCode, 201)

  const { id } = created.json()
  assert.deepEqual((await server.inject(`/notes/${id}`)).json(), created.json())
})

test('lists the newest notes first', async () => {
  await server.db.repo(notes).createMany([{ title: 'first' }, { title: 'second' }])

  const titles = (await server.inject('/notes')).json().map(({ title }: { title: string }) => title)
  assert.deepEqual(titles, ['second', 'first'])
})

test('changes a note, and deletes it', async () => {
  const { id } = await server.db.repo(notes).create({ title: 'Bread' })

  const changed = await server.inject({ method: 'PATCH', url: `/notes/${id}`, payload: { body: 'and salt' } })
  assert.equal(changed.json().body, 'and salt')
  assert.equal((await server.inject({ method: 'DELETE', url: `/notes/${id}` })).statusCode, 204)
  assert.equal((await server.inject(`/notes/${id}`)).statusCode, 404)
})

test('refuses a property that the schema does not name', async () => {
  const refused = await server.inject({ method: 'POST', url: '/notes', payload: { title: 'Bread', boddy: 'and salt' } })

  assert.equal(refused.statusCode, 400)
  assert.equal(await server.db.repo(notes).count(), 0)
})

test('refuses a note without a title, and keeps nothing of it', async () => {
  const refused = await server.inject({ method: 'POST', url: '/notes', payload: { body: 'without a title' } })

  assert.equal(refused.statusCode, 400)
  assert.equal(await server.db.repo(notes).count(), 0)
})

test('the migrations make the tables of schema.ts', async () => {
  const { ok, problems } = await checkMigrations({ connectionString, schema, casing: 'snake_case' })
  assert.ok(ok, problems.map(({ message }) => message).join('\n'))
})
