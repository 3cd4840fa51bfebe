import t from 'tap'
import { eq, sql } from 'drizzle-orm'
import { open } from '../../../helpers/database.js'
import { build } from '../../../helpers/server.js'
import { schema, users } from '../../../helpers/schema.js'
import { openDatabase } from '../../../../src/index.js'
import type { Logger } from 'drizzle-orm'
import type { OpenOptions } from '../../../../src/index.js'
import type { NodePgDatabase } from 'drizzle-orm/node-postgres'

interface Seen { readonly text: string, readonly values: unknown[] }

/** A logger of Drizzle's that keeps what it sees. */
function recorder (): { logger: Logger, seen: Seen[], take (): string[] } {
  const seen: Seen[] = []
  return {
    seen,
    logger: { logQuery: (text, values) => { seen.push({ text, values }) } },
    take: () => seen.splice(0).map(({ text }) => /^\w+/.exec(text)?.[0] ?? '')
  }
}

t.test('Drizzle\'s logger sees the text and values of each query of Drizzle\'s, in the database, in sessions and in nested transactions', async (t) => {
  const { logger, seen, take } = recorder()
  const database = await open(t, { drizzle: { logger } })
  const db = database.drizzle as unknown as NodePgDatabase<typeof schema>
  await db.insert(users).values({ email: 'ada' })
  t.match(seen.splice(0), [{ text: /^insert into "users"/, values: ['ada'] }])
  await db.query.users.findMany({ with: { posts: true } })
  await db.$count(users)
  await db.select().from(users).where(eq(users.id, sql.placeholder('id'))).prepare('byId').execute({ id: 7 })
  t.strictSame(seen.at(-1)?.values, [7], 'a placeholder as its value')
  t.strictSame(take(), ['select', 'select', 'select'])
  await database.session(async (session) => {
    await session.drizzle.update(users).set({ balance: 1 })
    await session.execute(sql`select ${1}::int`)
    await session.execute(db.select().from(users))
    await session.drizzle.transaction(async (tx) => await tx.transaction(async (inner) => await inner.delete(users)))
  })
  t.strictSame(seen[1], { text: 'select $1::int', values: [1] })
  t.strictSame(take(), ['update', 'select', 'select', 'delete'], 'and neither BEGIN, savepoints nor COMMIT')
  await database.repo(users).create({ email: 'grace' })
  t.strictSame(take(), [], 'no repository')
})

t.test('a query that its logger throws at is not sent, and the transaction goes on', async (t) => {
  const broken = new Error('full')
  const database = await open(t, { drizzle: { logger: { logQuery () { throw broken } } } })
  await database.session(async (session) => {
    await session.repo(users).create({ email: 'ada' })
    await t.rejects(session.drizzle.delete(users), broken)
    await t.rejects(session.execute(sql`delete from users`), broken)
  })
  t.equal(await database.repo(users).count(), 1)
})

t.test('request.db.drizzle has the logger of the plugin\'s options', async (t) => {
  const { logger, take } = recorder()
  const server = await build(t, { drizzle: { logger } })
  server.get('/', async (request) => await request.db.drizzle.select().from(users))
  t.strictSame((await server.inject('/')).json(), [])
  t.strictSame(take(), ['select'])
})

t.test('with true Drizzle\'s own logger prints, with false and undefined nothing does', async (t) => {
  const printed = t.capture(console, 'log')
  for (const logger of [false, undefined]) await (await open(t, { drizzle: { logger } })).drizzle.select().from(users)
  t.strictSame(printed(), [])
  await (await open(t, { drizzle: { logger: true } })).drizzle.select().from(users).where(eq(users.email, 'ada'))
  t.match(printed().map(({ args }) => args), [[/^Query: select .* -- params: \["ada"\]$/]])
})

t.test('Drizzle\'s cache is refused with the reason, and what is no logger of Drizzle\'s, before anything is opened', async (t) => {
  const refusal = (options: object): Promise<unknown> => openDatabase({
    connectionString: 'postgresql://nobody@127.0.0.1:1/none', ...options
  } as OpenOptions).catch((error: unknown) => error)
  const cache = /^is refused: a cache knows nothing of transactions/
  for (const [setting, options, reason] of [
    ['cache', { cache: {} }, cache],
    ['drizzle.cache', { drizzle: { cache: {} } }, cache],
    ['drizzle.schema', { drizzle: { schema } }, /is not an option; there are drizzle\.logger$/],
    ...[null, 1, '', [], true, () => undefined].map((drizzle) => ['drizzle', { drizzle }, /must be an object: { logger }/] as const),
    ...[null, 1, '', [], {}, () => undefined].map((logger) => [
      'drizzle.logger',
      { drizzle: { logger } },
      /must be true, false or an object with the method logQuery/
    ] as const),
    ...[true, recorder().logger].map((logger) => ['logger', { logger }, /Drizzle's own logger goes into drizzle: { logger }/] as const)
  ] as const) {
    const error = await refusal(options)
    t.match(error, { name: 'SettingsError', setting })
    t.match(String((error as Error).message).slice(setting.length + 1), reason)
  }
})
