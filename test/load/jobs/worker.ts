/** A worker, a child process of the driver. The environment variable `WORKER` has its options as JSON. */
import { openDatabase } from '../../../src/index.js'
import { jobs } from './library.js'
import { receipts } from './tables.js'
import type { Library } from './library.js'

/** The options of a worker. */
export interface WorkerProcessOptions {
  readonly library: Library
  readonly connectionString: string
  readonly name: string
}

const { library, connectionString, name } = JSON.parse(process.env['WORKER'] ?? '') as WorkerProcessOptions
const database = await openDatabase({ connectionString, waitForDatabaseSeconds: 30, pool: { size: 8, maxOverflow: 0 } })

/** What a consumer of an outbox does: the event counts once, by its id. */
async function handle (id: number, job: string): Promise<void> {
  await database.query('insert into deliveries (id, job) values ($1, $2)', [id, job])
  await database.session(async (session) => {
    const { created } = await session.repo(receipts).getOrCreate({ id }, { job })
    if (created) await session.query('insert into effects (id) values ($1)', [id])
  })
}

process.once('SIGTERM', () => process.exit())
await jobs[library].work(database, { connectionString, name, handle })
console.log('listening on 0')
