import { sql } from 'drizzle-orm'
import t from 'tap'
import { Repository } from '../../../src/index.js'
import { factory } from '../../../src/testing/index.js'
import { open } from '../../helpers/database.js'
import { build } from '../../helpers/server.js'
import { posts, users } from '../../helpers/schema.js'

class UserRepository extends Repository.of(users) {}

const newUser = () => factory(users, (n) => ({ email: `user${n}@example.com` }))

t.test('defaults count up, and given values override them', async (t) => {
  const database = await open(t)
  const user = newUser()

  t.match(await user({}, database), { id: 1, email: 'user1@example.com', balance: 0 })
  t.match(await user({ balance: 7, email: undefined as never }, database), { email: 'user2@example.com', balance: 7 })
  t.match(await user({ balance: sql`1 + 1` }, database), { balance: 2 })
})

t.test('defaults are an object, or a function that may be async', async (t) => {
  const database = await open(t)
  const fixed = factory(users, { email: 'ada' })
  const slow = factory(users, async (n) => ({ email: `slow${n}` }))

  t.match(await fixed({}, database), { email: 'ada' })
  t.match(await slow(undefined, database), { email: 'slow1' })
})

t.test('a row is created by a database, a session, a request or a repository', async (t) => {
  const server = await build(t)
  const user = newUser()
  server.post('/users', (request) => user({}, request))
  await server.inject({ method: 'POST', url: '/users' })
  await user({}, server.db.repo(users))
  await user({}, server.db.repo(UserRepository))
  await server.db.session((session) => user({}, session))

  t.equal(await server.db.repo(users).count(), 4)
})

t.test('a row that another row needs is created only if none is given, in the same session', async (t) => {
  const database = await open(t)
  const user = newUser()
  const post = factory(posts, (n) => ({ title: `Post ${n}`, userId: async (source) => (await user({}, source)).id }))
  t.match(await post({}, database.repo(posts)), { title: 'Post 1', userId: 1 })
  t.match(await post({ userId: 1 }, database), { title: 'Post 2', userId: 1 })
  t.equal(await database.repo(users).count(), 1)

  await using session = database.createSession()
  await post({}, session)
  await session.rollback()
  t.equal(await database.repo(users).count(), 1)
})

t.test('without a repository only the values are made, for the body of a request', async (t) => {
  const post = factory(posts, (n) => ({ title: `Post ${n}`, userId: async (source) => (await newUser()({}, source)).id }))

  t.strictSame(await post(), { title: 'Post 1' })
  t.strictSame(await post({ userId: 3 }), { title: 'Post 2', userId: 3 })
})
