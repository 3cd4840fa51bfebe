import { eq, sql } from 'drizzle-orm'
import t from 'tap'
import { captureStatements, createTestDatabase, sandbox } from '../../../src/testing/index.js'
import { open } from '../../helpers/database.js'
import { build } from '../../helpers/server.js'
import { users } from '../../helpers/schema.js'
import type { Captured } from '../../../src/testing/index.js'

const verbs = ({ statements }: Captured<unknown>) => statements.map(({ text }) => text.split(' ')[0])

t.test("every way to send a statement is captured, in order, without the package's own statements", async (t) => {
  const database = await open(t)
  const captured = await captureStatements(database, async () => {
    await database.repo(users).create({ email: 'ada' })
    await database.drizzle.update(users).set({ balance: 1 }).where(eq(users.email, 'ada'))
    await database.execute(sql`select 1`)
    await database.session(async (session) => {
      await session.begin()
      await session.repo(users).count()
      await session.transaction((scope) => scope.drizzle.select().from(users))
      await session.repo(users).deleteMany({ email: 'ada' })
    })
    await database.repo(users).createMany([{ email: 'bob' }, { email: 'cy' }, { email: 'dee' }])
    for await (const user of database.repo(users).stream({}, { batchSize: 1 })) if (user.email === 'cy') break
    return 42
  })

  t.equal(captured.result, 42)
  t.strictSame(verbs(captured), ['insert', 'update', 'select', 'select', 'select', 'delete', 'insert', 'select'])
  t.ok(captured.statements.every(({ durationMillis }) => durationMillis > 0))
  t.equal(captured.statements[0]?.text, 'insert into "users" ("id", "email", "balance") values (default, $1, default) returning "id", "email", "balance"')
})

t.test('requests are captured, in a sandbox and without one', async (t) => {
  const server = await build(t)
  server.post('/users', async (request) => {
    await request.repo(users).create({ email: request.id })
    return await request.repo(users).count()
  })
  const post = () => captureStatements(server.db, () => server.inject({ method: 'POST', url: '/users' }))
  t.strictSame(verbs(await post()), ['insert', 'select'])

  await using box = await sandbox(server)
  const captured = await post()
  t.equal(captured.result.body, '2')
  t.strictSame(verbs(captured), ['insert', 'select'])
  await box.rollback()
})

t.test('parallel captures do not mix; statements outside all captures count in each', async (t) => {
  const database = await open(t)
  const all = await Promise.all([1, 2, 3].map((count) => captureStatements(database, async () => {
    for (let n = 0; n < count; n++) await database.repo(users).count()
  })))
  t.strictSame(all.map(({ statements }) => statements.length), [1, 2, 3])

  let outside = () => Promise.resolve()
  const asked = new Promise<void>((resolve) => { outside = async () => { await database.repo(users).count(); resolve() } })
  const both = Promise.all([captureStatements(database, () => asked), captureStatements(database, () => asked)])
  await outside()
  t.strictSame((await both).map(({ statements }) => statements.length), [1, 1])
})

t.test('a nested capture counts in both, and one of another database only in its own', async (t) => {
  const [one, two] = [await open(t), await open(t)]
  const outer = await captureStatements(one, async () => {
    await one.repo(users).count()
    return await captureStatements(two, async () => {
      await two.repo(users).count()
      return await captureStatements(one, () => one.repo(users).count())
    })
  })

  t.equal(outer.statements.length, 2)
  t.equal(outer.result.statements.length, 1)
  t.equal(outer.result.result.statements.length, 1)
})

t.test('failed and unawaited statements are captured; an error of the function is passed on', async (t) => {
  const { database } = await createTestDatabase(t)
  const { statements } = await captureStatements(database, () => {
    database.execute(sql`select 1 / 0`)
  })
  t.match(statements, [{ text: 'select 1 / 0', durationMillis: Number }])

  await t.rejects(captureStatements(database, () => { throw new Error('no') }), { message: 'no' })
  t.equal(database.host.watch, undefined, 'nothing is captured afterwards')
})
