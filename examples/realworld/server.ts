import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { runMigrations } from '../../src/migrations/index.js'
import { startPostgres } from '../../src/testing/index.js'
import { stopOnSignals } from '../quickstart/stop-on-signals.js'
import { buildApp } from './app.js'
import { seed } from './seed.js'

const { DATABASE_URL, DATA_FOLDER = join(import.meta.dirname, '.data'), PORT = '3000', HOST = 'localhost' } = process.env
// Without a given secret, users are signed out when the process ends.
const { JWT_SECRET = randomBytes(32).toString('hex') } = process.env

// Without a DATABASE_URL: a PostgreSQL to try things on. It stops with this process; its rows stay in DATA_FOLDER.
const postgres = DATABASE_URL ? undefined : await startPostgres({ folder: DATA_FOLDER })
const connectionString = postgres?.connectionString ?? DATABASE_URL!

await runMigrations({ connectionString, folder: join(import.meta.dirname, 'migrations') })
const server = await buildApp({ connectionString, secret: JWT_SECRET, server: { logger: true } })
await seed(server.db)

// Requests in flight still need the database, so it closes last.
stopOnSignals(server, { last: () => postgres?.stop() })

await server.listen({ port: Number(PORT), host: HOST })
const url = server.listeningOrigin

console.log(`
Conduit is served at ${url}/api, described at ${url}/docs. Try:

  curl '${url}/api/articles?limit=3'
  curl '${url}/api/articles?tag=databases'
  curl ${url}/api/tags
  curl ${url}/api/profiles/mira
  curl ${url}/api/users/login -H 'content-type: application/json' -d '{"user":{"email":"mira@example.com","password":"conduit"}}'
  curl ${url}/api/articles/feed -H 'authorization: Token <the token that you got>'

Ctrl-C ends it${postgres ? `; the rows stay in ${postgres.folder}` : ''}.
`)
