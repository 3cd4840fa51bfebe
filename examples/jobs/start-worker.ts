import PgBoss from 'pg-boss'
import { openDatabase } from '../../plugins/index.js'
import { prepare, queues, type OrderPlaced } from './events.js'
import { receive } from './handlers.js'
import * as schema from './schema.js'

/** Handles the events of all queues until `stop()`, which waits for the running jobs. */
export async function startWorker (connectionString: string): Promise<{ stop: () => Promise<void> }> {
  const database = await openDatabase({ connectionString, schema, casing: 'snake_case' })
  const boss = new PgBoss({ connectionString, max: 2 })
  boss.on('error', (error) => console.error(error))
  await prepare(boss)
  for (const queue of queues) {
    await boss.work<OrderPlaced>(queue, { pollingIntervalSeconds: 0.5 }, async ([job]) => {
      if (job !== undefined) await receive(database, queue, job.data)
    })
  }
  return {
    async stop () {
      await boss.stop()
      await database.close()
    }
  }
}
