import t from 'tap'
import pg from 'pg'
import { DatabaseClient } from '../../../src/pg/database-client.js'
import type { ClientConfig } from 'pg'

/** What pg makes of the options. */
function understood (client: pg.Client): unknown {
  const { connectionParameters, ssl, password } = client as unknown as Record<string, unknown>
  return { ...Object(connectionParameters), ssl, password }
}

const options: ClientConfig = {
  ssl: { rejectUnauthorized: false }, application_name: 'shop', options: '-c search_path=shop', lock_timeout: 5, statement_timeout: 7, keepAlive: true
}
const cases: Record<string, ClientConfig> = {
  'no URL': { ...options, host: 'localhost', user: 'ada', database: 'shop' },
  'a URL, and options beside it': { ...options, connectionString: 'postgresql://ada@localhost/shop' },
  'the options of a pool, which hides the password': new pg.Pool({ ...options, host: 'localhost', user: 'ada', password: 'secret' }).options
}

for (const [name, config] of Object.entries(cases)) {
  t.test(`options mean what they mean to pg: ${name}`, async (t) => {
    t.same(understood(new DatabaseClient(config)), understood(new pg.Client(config)))
    t.match(understood(new DatabaseClient(config)), { application_name: 'shop', ssl: { rejectUnauthorized: false } })
  })
}
