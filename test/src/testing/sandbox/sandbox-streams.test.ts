import { Readable } from 'node:stream'
import { sql } from 'drizzle-orm'
import t from 'tap'
import { expectNoLeaks, sandbox } from '../../../../src/testing/index.js'
import { open } from '../../../helpers/database.js'
import { users } from '../../../helpers/schema.js'
import { build } from '../../../helpers/server.js'
import type { Database } from '../../../../src/index.js'
import type { Test } from '../../../helpers/test.js'

const emails = ['ada', 'bob', 'cy', 'dee', 'eve']

/** A database in a sandbox that ends with the test, with five users in it. */
async function openSandbox (t: Test, options: Parameters<typeof sandbox>[1] = {}): Promise<Database> {
  const database = await open(t)
  const box = await sandbox(database, options)
  t.teardown(() => box.rollback())
  await database.repo(users).createMany(emails.map((email) => ({ email })))
  return database
}

async function read (rows: AsyncIterable<{ email: string }>): Promise<string[]> {
  const read: string[] = []
  for await (const { email } of rows) read.push(email)
  return read
}

t.test('a stream sees the rows in the sandbox, batch by batch, and the next transaction may write', async (t) => {
  const database = await openSandbox(t)
  for (const batchSize of [1, 2, 5, 100]) t.strictSame(await read(database.repo(users).stream({}, { batchSize })), emails)
  await database.session(async (session) => {
    t.strictSame(await read(session.repo(users).stream({}, { batchSize: 2 })), emails)
    await session.repo(users).create({ email: 'flo' })
  })

  t.equal(await database.repo(users).count(), 6)
  await expectNoLeaks(database)
})

t.test('a reply can be a stream from the sandbox', async (t) => {
  const server = await build(t)
  server.get('/users', (request, reply) => reply.type('text/plain').send(Readable.from(emailsOf(request.repo(users).stream({}, { batchSize: 2 })))))
  async function * emailsOf (rows: AsyncIterable<{ email: string }>): AsyncGenerator<string> {
    for await (const { email } of rows) yield `${email} `
  }
  await using box = await sandbox(server)
  await server.db.repo(users).createMany(emails.map((email) => ({ email })))

  t.equal((await server.inject('/users')).body, 'ada bob cy dee eve ')
  await box.rollback()
  t.equal((await server.inject('/users')).body, '')
})

t.test('a stream that is left or fails undoes only itself', async (t) => {
  const database = await openSandbox(t)
  const repo = database.repo(users)
  for await (const { email } of repo.stream({}, { batchSize: 2 })) if (email === 'bob') break
  await t.rejects(read(repo.stream(sql`1 / (${users.id} - 4) < 9`, { batchSize: 2 })), { cause: { code: '22012' } })
  await t.rejects(read(repo.stream(sql`nextval('users_id_seq') > 0`)), { code: 'DB_READ_ONLY' })

  t.equal(await repo.count(), 5)
  await repo.create({ email: 'flo' })
})

t.test('a session that holds its transaction cannot stream, and may stream after the commit', async (t) => {
  const database = await openSandbox(t)
  await using session = database.createSession()
  await session.repo(users).create({ email: 'flo' })

  await t.rejects(read(session.repo(users).stream()), {
    code: 'DB_POOL_TIMEOUT', message: /a session that holds one does not wait for another: read the stream before the first write, or after the commit/
  })
  await session.commit()
  t.equal((await read(database.repo(users).stream())).length, 6)
})

t.test('a write waits for a stream to end, for a limited time', async (t) => {
  const database = await openSandbox(t, { timeoutMillis: 50 })
  const rows = database.repo(users).stream({}, { batchSize: 2 })
  await rows.next()
  await t.rejects(database.repo(users).create({ email: 'flo' }), { code: 'DB_TRANSACTION_SCOPE', message: /that of database has not ended/ })
  await rows.return()

  await database.repo(users).create({ email: 'flo' })
})
