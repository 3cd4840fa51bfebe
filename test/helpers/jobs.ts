/** pg-boss and graphile-worker over one database: what a session adds, and what a worker of each then sees. */
import PgBoss from 'pg-boss'
import { makeWorkerUtils } from 'graphile-worker'
import { addJob, jobExecutor } from '../../src/index.js'
import { createTestDatabase } from '../../src/testing/index.js'
import { tables } from './schema.js'
import type { Database, Scope } from '../../src/index.js'
import type { Test } from './test.js'

/** A library whose jobs a session may add. */
export interface Queue {
  /** Adds a job in the transaction. */
  add (session: Scope<unknown>, name: string): Promise<unknown>
  /** The names of the jobs that its workers may see, sorted. */
  seen (): Promise<string[]>
}

/** A database with {@link tables} and the schemas of both libraries, and its queues by the names of the libraries. */
export interface Queues {
  readonly database: Database
  readonly connectionString: string
  readonly boss: PgBoss
  readonly queues: Readonly<Record<'pg-boss' | 'graphile-worker', Queue>>
}

/** The name of every queue of pg-boss, and of every task of graphile-worker, in these tests. */
const queue = 'greet'

/** Makes a database for a test, and the queues in it. */
export async function openQueues (t: Test): Promise<Queues> {
  const { database, connectionString } = await createTestDatabase(t, { sql: tables })
  const utils = await makeWorkerUtils({ pgPool: database.pool, noPreparedStatements: true })
  await utils.migrate()
  await utils.release()
  const boss = new PgBoss({ db: { executeSql: (text, values) => database.query(text, values) }, supervise: false, schedule: false })
  await boss.start()
  t.teardown(() => boss.stop({ graceful: false }))
  await boss.createQueue(queue)
  const names = async (text: string): Promise<string[]> => (await database.query<{ name: string }>(text)).rows.map(({ name }) => name).sort()
  return {
    database,
    connectionString,
    boss,
    queues: {
      'pg-boss': {
        add: (session, name) => boss.send(queue, { name }, { db: jobExecutor(session) }),
        seen: () => names("select data ->> 'name' as name from pgboss.job")
      },
      'graphile-worker': {
        add: (session, name) => addJob(session, queue, { name }),
        seen: () => names("select payload ->> 'name' as name from graphile_worker._private_jobs")
      }
    }
  }
}
