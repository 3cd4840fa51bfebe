/**
 * Tests of the quickstart with Vitest: npx vitest run examples/testing/vitest.test.ts
 *
 * In your own project, import from 'fastify-data-access/testing'.
 */
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { captureStatements, createTestDatabase, expectNoLeaks, sandbox, type Sandbox } from '../../src/testing/index.js'
import { buildServer } from '../quickstart/build-server.js'
import { users } from '../quickstart/schema.js'
import { newPost, newUser } from './factories.js'

// Once for the file: a database, cloned from one that is migrated once for all files, and a server on it.
const { connectionString } = await createTestDatabase(afterAll, { migrations: './drizzle' })
const server = await buildServer(connectionString)
afterAll(async () => {
  await expectNoLeaks(server.db)
  await server.close()
})

// All writes of a test are undone at its end.
let box: Sandbox
beforeEach(async () => { box = await sandbox(server) })
afterEach(() => box.rollback())

test('creates a user', async () => {
  const reply = await server.inject({ method: 'POST', url: '/users', payload: await newUser({ name: 'Ada' }) })

  expect(reply.statusCode).toBe(201)
  expect(await server.db.repo(users).getAll()).toMatchObject([{ name: 'Ada' }])
})

test('lists the newest users first', async () => {
  await newUser({ name: 'Ada' }, server.db)
  await newUser({ name: 'Grace' }, server.db)

  expect((await server.inject('/users')).json()).toMatchObject([{ name: 'Grace' }, { name: 'Ada' }])
})

test('reads the posts of a user with two statements, whatever their number', async () => {
  const { authorId } = await newPost({}, server.db)
  for (let n = 0; n < 5; n++) await newPost({ authorId }, server.db)
  const { result, statements } = await captureStatements(server.db, () => server.inject(`/users/${authorId}/posts`))

  expect(result.json()).toHaveLength(6)
  expect(statements, 'one for the author, one for all posts').toHaveLength(2)
})
