import { join } from 'node:path'
import { runMigrations } from '../../src/migrations/index.js'
import { stopOnSignals } from '../quickstart/stop-on-signals.js'
import { buildServer } from './build-server.js'
import { stock } from './schema.js'

// DATABASE_URL=postgresql://… npx tsx examples/jobs/server.ts, and worker.ts beside it.
const { DATABASE_URL: connectionString = '', PORT = '3000' } = process.env

await runMigrations({ connectionString, folder: join(import.meta.dirname, 'migrations') })
const server = await buildServer(connectionString, { logger: true })
await server.db.repo(stock).getOrCreate({ item: 'apple' }, { left: 1000 })
stopOnSignals(server)

await server.listen({ port: Number(PORT) })
console.log(`
Try: curl -X POST ${server.listeningOrigin}/orders -H 'content-type: application/json' -d '{"item":"apple","quantity":3}'
     curl ${server.listeningOrigin}/stock/apple
`)
