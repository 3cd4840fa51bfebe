import PgBoss from 'pg-boss'
import { Logger, makeWorkerUtils, run } from 'graphile-worker'
import { EventEmitter } from 'node:events'
import { addJob, jobExecutor } from '../../../src/index.js'
import type { WorkerEvents } from 'graphile-worker'
import type { Database, Scope } from '../../../src/index.js'

export const libraries = ['pg-boss', 'graphile-worker'] as const
export type Library = typeof libraries[number]

/** A library as these runs use it. */
export interface Jobs {
  /** Creates its tables; once for a database. */
  install (database: Database): Promise<void>
  /** Resolves with a function that adds the job of an order in a transaction. */
  sender (database: Database): Promise<(session: Scope<unknown>, id: number, isClerk?: boolean) => Promise<unknown>>
  /** Works until the process ends. */
  work (database: Database, { connectionString, name, handle }: WorkerOptions): Promise<void>
  /** How many jobs are left to handle. */
  left (database: Database): Promise<number>
  /** Frees the jobs of workers that were killed, and runs those that wait for another attempt. */
  free (database: Database): Promise<void>
}

export interface WorkerOptions {
  readonly connectionString: string
  /** The place of the worker: one after the other has the same. */
  readonly name: string
  readonly handle: (id: number, job: string) => Promise<void>
}

const task = 'handle'

/** More attempts than any run kills workers: a job that is given up would be lost. */
const attempts = 1000

/** The job of an order has the id of its event, so that another delivery is recognised. */
const uuidOf = (id: number): string => `00000000-0000-4000-8000-${String(id < 0 ? 10 ** 11 - id : id).padStart(12, '0')}`

const count = async (database: Database, text: string): Promise<number> => (await database.query<{ n: number }>(text)).rows[0]?.n ?? NaN

const withoutWorkers = (database: Database): PgBoss =>
  new PgBoss({ db: { executeSql: (text, values) => database.query(text, values) }, supervise: false, schedule: false })

export const jobs: Readonly<Record<Library, Jobs>> = {
  'pg-boss': {
    async install (database) {
      const boss = await withoutWorkers(database).start()
      await boss.createQueue(task)
    },
    async sender (database) {
      const boss = await withoutWorkers(database).start()
      return async (session, id) => {
        const sent = await boss.send(task, { id }, { db: jobExecutor(session), id: uuidOf(id), retryLimit: attempts, expireInSeconds: 30 })
        if (sent === null) throw new Error('pg-boss added no job')
      }
    },
    async work (_database, { connectionString, handle }) {
      const boss = new PgBoss({ connectionString, maintenanceIntervalSeconds: 1, schedule: false })
      boss.on('error', () => {})
      await boss.start()
      await boss.work<{ id: number }>(task, { batchSize: 20, pollingIntervalSeconds: 0.5 }, async (batch) => {
        await Promise.all(batch.map(({ id: job, data: { id } }) => handle(id, job)))
      })
    },
    left: (database) => count(database, `select count(*)::int as n from pgboss.job where name = '${task}' and state < 'completed'`),
    free: async () => {} // it expires them by itself
  },
  'graphile-worker': {
    async install (database) {
      const utils = await makeWorkerUtils({ pgPool: database.pool })
      await utils.migrate()
      await utils.release()
      await database.query('create table places (name text not null, worker text not null)')
    },
    sender: async () => (session, id, isClerk = false) => addJob(session, task, { id }, { maxAttempts: attempts, ...isClerk && { schema: 'app' } }),
    async work (database, { connectionString, name, handle }) {
      await unlock(database, name)
      const events = new EventEmitter() as WorkerEvents // its own type of emitter has the methods of Node's
      events.on('worker:create', ({ worker }) => {
        database.query('insert into places (name, worker) values ($1, $2)', [name, worker.workerId]).catch(() => {})
      })
      await run({
        connectionString,
        concurrency: 8,
        pollInterval: 500,
        noHandleSignals: true,
        events,
        logger: new Logger(() => () => {}),
        taskList: { [task]: (payload, { job }) => handle((payload as { id: number }).id, job.id) }
      })
    },
    left: (database) => count(database, 'select count(*)::int as n from graphile_worker._private_jobs'),
    async free (database) {
      await unlock(database)
      await database.query('update graphile_worker._private_jobs set run_at = now() where locked_at is null and run_at > now()')
    }
  }
}

/** Frees the jobs of the workers that were at a place before; without a name, all. By itself graphile-worker waits for four hours. */
async function unlock (database: Database, name?: string): Promise<void> {
  const { rows } = name === undefined
    ? await database.query<{ worker: string }>('select distinct locked_by as worker from graphile_worker._private_jobs where locked_by is not null')
    : await database.query<{ worker: string }>('select worker from places where name = $1', [name])
  const utils = await makeWorkerUtils({ pgPool: database.pool })
  await utils.forceUnlockWorkers(rows.map(({ worker }) => worker))
  await utils.release()
}
