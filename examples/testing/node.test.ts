/**
 * Tests of the quickstart with Node's own runner: node --import tsx --test examples/testing/node.test.ts
 *
 * In your own project, import from 'fastify-data-access/testing'.
 */
import assert from 'node:assert/strict'
import { after, afterEach, beforeEach, test } from 'node:test'
import { checkMigrations } from '../../src/migrations/index.js'
import { captureStatements, createTestDatabase, expectNoLeaks, sandbox, type Sandbox } from '../../src/testing/index.js'
import { buildServer } from '../quickstart/build-server.js'
import * as schema from '../quickstart/schema.js'
import { newPost, newUser } from './factories.js'

// Once for the file: a database, cloned from one that is migrated once for all files, and a server on it.
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

const names = (users: ReadonlyArray<{ name: string }>): string[] => users.map(({ name }) => name)

test('creates a user', async () => {
  const reply = await server.inject({ method: 'POST', url: '/users', payload: await newUser({ name: 'Ada' }) })

  assert.equal(reply.statusCode, 201)
  assert.deepEqual(names(await server.db.repo(schema.users).getAll()), ['Ada'])
})

test('lists the newest users first', async () => {
  await newUser({ name: 'Ada' }, server.db)
  await newUser({ name: 'Grace' }, server.db)

  assert.deepEqual(names((await server.inject('/users')).json()), ['Grace', 'Ada'])
})

test('reads the posts of a user with two statements, whatever their number', async () => {
  const { authorId } = await newPost({}, server.db)
  for (let n = 0; n < 5; n++) await newPost({ authorId }, server.db)
  const { result, statements } = await captureStatements(server.db, () => server.inject(`/users/${authorId}/posts`))

  assert.equal(result.json().length, 6)
  assert.equal(statements.length, 2, 'one for the author, one for all posts')
})

test('the migrations make the tables of the schema', async () => {
  assert.deepEqual((await checkMigrations({ connectionString, schema, casing: 'snake_case' })).problems, [])
})
