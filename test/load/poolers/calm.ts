import { sql } from 'drizzle-orm'
import { Client } from 'pg'
import { openDatabase } from '../../../src/index.js'
import { users } from '../../helpers/schema.js'
import { clientsOf } from '../../helpers/watch.js'
import type { Database } from '../../../src/index.js'

/** The result of one check. */
export interface Result {
  readonly what: string
  readonly seen: string
  readonly isKept: boolean
}

/** Opens a database through the pooler. */
export async function openThrough (connectionString: string, more: object = {}): Promise<Database> {
  return await openDatabase({ connectionString, pool: { size: 20, maxOverflow: 0 }, slowQueryMillis: 3_600_000, ...more })
}

/** A statement and a wait for a lock end at their limits, inside and outside a transaction. */
export async function checkLimits (connectionString: string, direct: Client): Promise<Result[]> {
  const database = await openThrough(connectionString, { statementTimeoutSeconds: 1, lockTimeoutSeconds: 0.5 })
  const { id } = await database.repo(users).create({ email: 'limits' })
  const codeOf = (work: Promise<unknown>): Promise<string> => work.then(() => 'nothing', (error) => String(error.code))
  const sleep = sql`select pg_sleep(3)`
  const outside = await codeOf(database.execute(sleep))
  const inside = await codeOf(database.session((session) => session.execute(sleep)))
  await direct.query('begin; lock table users')
  const lockOutside = await codeOf(database.session((session) => session.repo(users).get(id)))
  const lockInside = await codeOf(database.session((session) => session.repo(users).update(id, { balance: 1 })))
  await direct.query('rollback')
  await database.close()
  return [
    ['a sleep of 3 s under a limit of 1 s, outside a transaction', outside, 'DB_TIMEOUT'],
    ['the same inside a transaction', inside, 'DB_TIMEOUT'],
    ['a wait for a lock, in a read before BEGIN', lockOutside, 'DB_LOCK_TIMEOUT'],
    ['a wait for a lock inside a transaction', lockInside, 'DB_LOCK_TIMEOUT']
  ].map(([what, seen, expected]) => ({ what: String(what), seen: String(seen), isKept: seen === expected }))
}

/** How often PostgreSQL says that it is ready: once for each round trip. */
export async function countRoundTrips (connectionString: string): Promise<Result[]> {
  const database = await openThrough(connectionString, { pool: { size: 1, maxOverflow: 0 } })
  let trips = 0
  for (const client of clientsOf(database.pool)) {
    (client as unknown as { connection: { on (event: string, count: () => void): void } }).connection.on('readyForQuery', () => { trips++ })
  }
  const count = async (work: () => Promise<unknown>): Promise<number> => {
    trips = 0
    await work()
    return trips
  }
  const create = (email: string) => () => database.session((session) => session.repo(users).create({ email }))
  await create('first')()
  const created = await count(create('second'))
  const read = await count(() => database.session((session) => session.repo(users).getBy({ email: 'second' })))
  await database.close()
  return [
    { what: 'round trips of a read', seen: String(read), isKept: read === 1 },
    { what: 'round trips of a create', seen: String(created), isKept: created === 2 }
  ]
}

/** Ten thousand sessions side by side, each with settings of its own; then what is left on the server connections. */
export async function interleave (connectionString: string, sessions: number): Promise<Result[]> {
  const database = await openThrough(connectionString, { statementTimeoutSeconds: 12, lockTimeoutSeconds: 11, idleInTransactionTimeoutSeconds: 13 })
  let wrong = 0
  let next = 0
  const work = async (): Promise<void> => {
    while (next < sessions) {
      const mine = `${next++}`
      await database.session(async (session) => {
        await session.repo(users).count({ email: mine })
        await session.execute(sql`select set_config('app.session', ${mine}, true)`)
        const { rows: [row] } = await session.execute<{ all: string }>(sql`select concat_ws(' ', current_setting('app.session'), current_setting('statement_timeout'), current_setting('lock_timeout')) as all`)
        if (row?.all !== `${mine} 12s 11s`) wrong++
      })
      const { rows: [row] } = await database.execute<{ left: string }>(sql`select coalesce(current_setting('app.session', true), '') as left`)
      if (row?.left !== '') wrong++
    }
  }
  await Promise.all(Array.from({ length: 60 }, work))
  await database.close()
  const left = await settingsLeft(connectionString)
  return [
    { what: `${sessions} interleaved sessions that saw a foreign setting or missed their own`, seen: String(wrong), isKept: wrong === 0 },
    { what: 'settings left on the server connections', seen: left.join(', ') || 'none', isKept: left.length === 0 }
  ]
}

/** Settings of ours on the three server connections, each held by a transaction. */
async function settingsLeft (connectionString: string): Promise<string[]> {
  const clients = Array.from({ length: 3 }, () => new Client(connectionString))
  const left: string[] = []
  for (const client of clients) {
    await client.connect()
    await client.query('begin')
    const { rows } = await client.query(`select name || ' = ' || setting as found from pg_settings
      where (name in ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout') and setting <> '0') or (name = 'app.session' and setting <> '')`)
    left.push(...rows.map(({ found }) => String(found)))
  }
  for (const client of clients) await client.query('rollback').then(() => client.end())
  return left
}
