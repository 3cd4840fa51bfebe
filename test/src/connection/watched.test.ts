/** Programs that watch pg wrap `Client.prototype.query`: OpenTelemetry's instrumentation, dd-trace and New Relic's agent do. */
import { sql } from 'drizzle-orm'
import pg from 'pg'
import t from 'tap'
import { openDatabase } from '../../../src/index.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { tables, users } from '../../helpers/schema.js'
import type { Database } from '../../../src/index.js'
import type { Test } from '../../helpers/test.js'

interface Seen {
  readonly text: string
  readonly name: unknown
  ended: number
  code?: unknown
  result?: { command: string, rowCount: number | null, rows: unknown[] } | undefined
}

/** A query object as such programs see it. */
interface Query {
  readonly submit?: unknown
  readonly name?: unknown
  readonly text: string
  callback?: unknown
}

type Wrap = (query: (...args: unknown[]) => unknown, seen: Seen[]) => (this: pg.Client, ...args: unknown[]) => unknown

/** Like OpenTelemetry: the query's own callback is wrapped before it is sent, and a copy of the query gets the comment. */
const before: Wrap = (query, seen) => function (...args) {
  const [given] = args as [Query]
  if (typeof given === 'string' || typeof given.submit !== 'function') return query.apply(this, args)
  if (given.name === undefined) args[0] = { ...given, text: `${given.text} /* comment */` }
  const entry: Seen = { text: String(given.text), name: given.name, ended: 0 }
  seen.push(entry)
  if (typeof given.callback === 'function') given.callback = ending(entry, given.callback as () => void)
  return query.apply(this, args)
}

/** Like dd-trace: the callback of the last query in the queue is wrapped once it is sent, and its text is a getter. */
const after: Wrap = (query, seen) => function (...args) {
  const [given] = args as [Query]
  if (typeof given === 'string' || typeof given.submit !== 'function') return query.apply(this, args)
  const text = String(given.text)
  Object.defineProperty(given, 'text', { get: () => text })
  const entry: Seen = { text, name: given.name, ended: 0 }
  seen.push(entry)
  const result = query.apply(this, args)
  given.callback = ending(entry, given.callback as () => void)
  return result
}

function ending (entry: Seen, callback: (...args: unknown[]) => void): (...args: unknown[]) => void {
  return function (this: unknown, ...args) {
    entry.ended++
    if (args[0] === null) entry.result = args[1] as Seen['result']
    else entry.code = Object(args[0]).code
    callback.apply(this, args)
  }
}

/** A database whose statements are watched, and the recorded statements. */
async function watched (t: Test, wrap: Wrap): Promise<{ database: Database, seen: Seen[] }> {
  const { connectionString } = await createTestDatabase(t, { sql: tables })
  const { query } = pg.Client.prototype
  const seen: Seen[] = []
  t.teardown(async () => { pg.Client.prototype.query = query })
  pg.Client.prototype.query = wrap(query as never, seen) as never
  const database = await openDatabase({ connectionString })
  t.teardown(async () => { await database.close() })
  seen.length = 0
  return { database, seen }
}

for (const [way, wrap] of Object.entries({ before, after })) {
  t.test(`a callback wrapped ${way} a statement is sent gets each result once, with its text`, async (t) => {
    const { database, seen } = await watched(t, wrap)
    const { id } = await database.repo(users).create({ email: 'ada@example.com' })
    await database.repo(users).get(id)
    await database.session(async (session) => {
      await session.repo(users).update(id, { balance: 5 })
      await session.transaction((scope) => scope.repo(users).updateMany({ email: 'nobody' }, { balance: 6 }))
    })
    await database.execute(sql`select 1; select 2`)

    t.match(seen.map(({ text, name, ended, result }) => [text.split(' ')[0], name, ended, result?.command, result?.rowCount]), [
      ['insert', '', 1, 'INSERT', 1],
      ['select', '', 1, 'SELECT', 1],
      ['update', '', 1, 'UPDATE', 1],
      ['update', '', 1, 'UPDATE', 0],
      ['commit', '', 1, 'COMMIT', null],
      ['select', '', 1, 'SELECT', 1]
    ])
    t.ok(seen.every(({ result }) => result?.rows.length === 0), 'no value')
  })

  t.test(`a callback wrapped ${way} a statement is sent gets each failure once`, async (t) => {
    const { database, seen } = await watched(t, wrap)
    await database.repo(users).create({ email: 'ada@example.com' })
    seen.length = 0
    await t.rejects(database.session((session) => session.repo(users).create({ email: 'ada@example.com' })), { code: 'DB_UNIQUE_VIOLATION' })
    await t.rejects(database.execute(sql`select pg_terminate_backend(pg_backend_pid())`), { code: 'DB_COMMIT_UNKNOWN' })
    t.equal(await database.repo(users).count(), 1)

    t.match(seen.map(({ text, ended, code }) => [text.split(' ')[0], ended, code]), [
      ['insert', 1, '23505'],
      ['rollback', 1, undefined],
      ['select', 1, '57P01'],
      ['select', 1, undefined]
    ])
  })

  t.test(`a callback wrapped ${way} a group is sent gets the group as one statement`, async (t) => {
    const { database, seen } = await watched(t, wrap)
    await database.session(async (session) => {
      await Promise.all([session.repo(users).create({ email: 'ada@example.com' }), session.repo(users).create({ email: 'grace@example.com' })])
    })
    t.match(seen.map(({ text, ended }) => [text.match(/insert|commit/g), ended]), [[['insert', 'insert'], 1], [['commit'], 1]])
  })
}
