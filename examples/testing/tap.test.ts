/**
 * Tests of the quickstart with tap: npx tap run examples/testing/tap.test.ts --disable-coverage
 *
 * In your own project, import from 'fastify-data-access/testing'.
 */
import t from 'tap'
import { captureStatements, createTestDatabase, expectNoLeaks, sandbox, type Sandbox } from '../../src/testing/index.js'
import { buildServer } from '../quickstart/build-server.js'
import { users } from '../quickstart/schema.js'
import { newPost, newUser } from './factories.js'

// Once for the file: a database, cloned from one that is migrated once for all files, and a server on it.
const { connectionString } = await createTestDatabase(t, { migrations: './drizzle' })
const server = await buildServer(connectionString)
t.teardown(async () => {
  await expectNoLeaks(server.db)
  await server.close()
})

// All writes of a test are undone at its end.
let box: Sandbox
t.beforeEach(async () => { box = await sandbox(server) })
t.afterEach(() => box.rollback())

t.test('creates a user', async (t) => {
  const reply = await server.inject({ method: 'POST', url: '/users', payload: await newUser({ name: 'Ada' }) })

  t.equal(reply.statusCode, 201)
  t.match(await server.db.repo(users).getAll(), [{ name: 'Ada' }])
})

t.test('lists the newest users first', async (t) => {
  await newUser({ name: 'Ada' }, server.db)
  await newUser({ name: 'Grace' }, server.db)

  t.match((await server.inject('/users')).json(), [{ name: 'Grace' }, { name: 'Ada' }])
})

t.test('reads the posts of a user with two statements, whatever their number', async (t) => {
  const { authorId } = await newPost({}, server.db)
  for (let n = 0; n < 5; n++) await newPost({ authorId }, server.db)
  const { result, statements } = await captureStatements(server.db, () => server.inject(`/users/${authorId}/posts`))

  t.equal(result.json().length, 6)
  t.equal(statements.length, 2, 'one for the author, one for all posts')
})
