import PgBoss from 'pg-boss'
import type { Database, Session } from '../../plugins/index.js'
import { jobExecutor } from '../../plugins/index.js'

/** An order was placed. The id is that of the event: a queue may deliver it again, always under the same id. */
export interface OrderPlaced {
  readonly id: string
  readonly orderId: string
  readonly item: string
  readonly quantity: number
}

/** The queues that receive each event. A job that fails is tried again; one that keeps failing waits in the queue `failed`. */
export const queues = ['stock', 'mail'] as const
const retries = { retryLimit: 10, retryBackoff: true, deadLetter: 'failed' }

/** pg-boss over a database's own pool, without maintenance: for a process that only sends. */
export async function openBoss ({ query }: { query: Database['query'] }): Promise<PgBoss> {
  const boss = new PgBoss({ db: { executeSql: query }, supervise: false, schedule: false })
  return await prepare(boss)
}

/** Starts pg-boss, and creates the queues that are missing: pg-boss drops a job without its queue. */
export async function prepare (boss: PgBoss): Promise<PgBoss> {
  await boss.start()
  await boss.createQueue('failed')
  for (const name of queues) {
    await boss.createQueue(name, { name, ...retries })
  }
  return boss
}

/**
 * Publishes the event in the transaction of a session: one job in each queue, there exactly when the order is. `boss.publish` would
 * take a second connection, to read its subscriptions.
 */
export async function publishOrderPlaced (boss: PgBoss, session: Session, event: OrderPlaced): Promise<void> {
  await boss.insert(queues.map((name) => ({ name, data: event })), { db: jobExecutor(session) })
}
