import { join } from 'node:path'
import { runMigrations } from '../../src/migrations/index.js'
import { startPostgres } from '../../src/testing/index.js'
import { buildServer } from './build-server.js'
import { seed } from './seed.js'
import { stopOnSignals } from './stop-on-signals.js'

const { DATABASE_URL, DATA_FOLDER = join(import.meta.dirname, '.data'), PORT = '3000', HOST = 'localhost' } = process.env

// Without a DATABASE_URL: a PostgreSQL to try things on. It stops with this process; its rows stay in DATA_FOLDER.
const postgres = DATABASE_URL ? undefined : await startPostgres({ folder: DATA_FOLDER })
const connectionString = postgres?.connectionString ?? DATABASE_URL!

await runMigrations({ connectionString, folder: join(import.meta.dirname, '../../drizzle') })
const server = await buildServer(connectionString, { logger: true })
await seed(server.db)

// Requests in flight still need the database, so it closes last.
stopOnSignals(server, { last: () => postgres?.stop() })

await server.listen({ port: Number(PORT), host: HOST })
const url = server.listeningOrigin

console.log(`
Users and posts are served at ${url}, their API is described at ${url}/docs. Try:

  curl '${url}/users?limit=3'
  curl ${url}/users/1
  curl ${url}/users/1/posts
  curl -X POST ${url}/users -H 'content-type: application/json' -d '{"name":"Ada Lovelace","email":"ada@example.com"}'
  curl -X PATCH ${url}/users/1 -H 'content-type: application/json' -d '{"name":"Augusta Ada King"}'
  curl -X DELETE -i ${url}/users/1
  curl ${url}/health/database
  curl ${url}/health/database/pool

Ctrl-C ends it${postgres ? `; the rows stay in ${postgres.folder}` : ''}.
`)
