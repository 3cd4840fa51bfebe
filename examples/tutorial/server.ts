import { runMigrations } from '../../src/migrations/index.js'
import { buildServer } from './build-server.js'

await runMigrations()                                        // DATABASE_URL, and the folder ./drizzle
const server = await buildServer(undefined, { logger: true })

let stopping: Promise<void> | undefined
async function stop () {
  server.server.keepAliveTimeout = 1                         // clients that keep their connection are not waited for
  await server.close()                                       // requests under way finish
}
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => { stopping ??= stop() })

await server.listen({ port: Number(process.env['PORT'] ?? 3000), host: process.env['HOST'] ?? 'localhost' })
