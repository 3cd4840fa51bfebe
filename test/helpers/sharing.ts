import { Client } from 'pg'
import { caller, openPool, run } from './pool.js'
import { until } from './until.js'
import { channelLog } from './channel-log.js'
import { statementName } from '../../src/statement/statement-name.js'
import type { ConnectionPool } from '../../src/pool/connection-pool.js'
import type { Cancel } from '../../src/pool/connection-source.js'
import type { Statement } from '../../src/statement/statement.js'
import type { DatabaseOptions } from '../../src/settings/settings.js'
import type { Test } from './test.js'

/** The answer to a read, and how it came. */
export interface Answer {
  readonly rows: unknown[]
  readonly isShared: boolean
}

/** A read under way. */
export interface Asked {
  readonly answer: Promise<Answer>
  readonly cancel: Cancel
  /** Whether it has got a connection of its own. */
  readonly isOwn: () => boolean
}

/** A lookup as a repository builds it, with any SQL. */
export function lookup (text: string, ...values: unknown[]): Statement {
  return { kind: 'read', text, name: statementName('lookup', text), values, rowMode: 'array', context: { operation: 'get' } }
}

/** Lets the statement travel over shared connections, as if it had been seen to be quick often enough. */
export function admit ({ shared }: ConnectionPool, ...statements: Statement[]): void {
  for (const statement of statements) for (let count = 0; count < 1280; count++) shared?.observed(statement, 0)
}

/** Asks for the answer to a read, over a shared connection or one of its own. */
export function ask (pool: ConnectionPool, statement: Statement): Asked {
  let cancel: Cancel = () => {}
  let isOwn = false
  const answer = new Promise<Answer>((resolve, reject) => {
    const done = (isShared: boolean) => ({ error, result }: { error: Error | undefined, result: { rows: unknown[] } | undefined }): void => {
      if (error === undefined) resolve({ rows: result?.rows ?? [], isShared })
      else reject(error)
    }
    cancel = pool.shared?.acquire({
      caller,
      lend: (connection) => {
        isOwn = true
        connection.run(statement).then((outcome) => {
          done(false)(outcome)
          connection.release()
        })
      },
      refuse: reject,
      statement,
      answered: done(true)
    }) ?? cancel
  })
  answer.catch(() => {})
  return { answer, cancel: (error) => cancel(error), isOwn: () => isOwn }
}

/** Opens all connections of a pool, and uses each: the first read on a new one is not shared. */
async function openAll (pool: ConnectionPool): Promise<void> {
  const connections = await Promise.all(Array.from({ length: pool.info.max }, () => pool.connect(caller)))
  await Promise.all(connections.map((connection) => run(connection, 'select 1')))
  for (const connection of connections) connection.release()
}

/** A pool with `sharedReads`, and what it told of its connections. */
export async function openSharing (t: Test, options: DatabaseOptions = {}) {
  const pool = await openPool(t, { ...options, pool: { size: 10, maxOverflow: 0, sharedReads: true, ...options.pool } })
  await openAll(pool)
  const { published } = channelLog(t, ['release'], pool.channels.namespace)
  return {
    pool,
    /** How many lanes have ended. */
    lanes: () => published('release').filter(({ route }) => route === 'shared reads').length,
    /** Reads together again and again, until all of them have travelled over a shared connection. */
    readShared: async (statements: Statement[]): Promise<unknown[][]> => {
      let answers: Answer[] = []
      await until(async () => {
        admit(pool, ...statements)
        answers = await Promise.all(statements.map((statement) => ask(pool, statement).answer))
        return answers.every(({ isShared }) => isShared)
      })
      return answers.map(({ rows }) => rows)
    }
  }
}

/** A statement that waits for a lock in PostgreSQL, as long as it is held. */
export const heldBy = (key: number): Statement => lookup(`select pg_advisory_xact_lock_shared(${key})::text, 42`)

const usualKey = 4711

export const held = heldBy(usualKey)

/** Holds the lock of {@link held}, or of another key, over a connection of its own, until `release`. */
export async function holdLock (t: Test, { pool }: ConnectionPool, key = usualKey) {
  const client = new Client(pool.options)
  await client.connect()
  t.teardown(() => client.end())
  await client.query(`begin; select pg_advisory_xact_lock(${key})`)
  return {
    release: () => client.query('commit'),
    /** Resolves when so many statements wait for the lock. */
    waited: (count: number) => until(async () => {
      const { rowCount } =
        await client.query("select from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())")
      return rowCount === count
    })
  }
}
