/**
 * A server with a pool of 20 connections, in a process of its own: with `pg` as its argument over pg alone, else over this package.
 * `GET /read` reads a row by its key, `GET /work` holds a connection for 50 ms.
 */
import { sql } from 'drizzle-orm'
import Fastify from 'fastify'
import { Pool } from 'pg'
import dataAccess from '../../../plugins/index.js'
import { schema, users } from '../../helpers/schema.js'

const [library = 'package', timeoutSeconds = '30'] = process.argv.slice(2)
const server = Fastify()

if (library === 'pg') {
  const pool = new Pool({ connectionString: process.env['DATABASE_URL'], max: 20 })
  server.get('/read', async () => {
    const { rows } = await pool.query({ name: 'read', text: 'select * from users where id = $1', values: [1] })
    return rows[0]
  })
} else {
  const pool = { size: 20, maxOverflow: 0, timeoutSeconds: Number(timeoutSeconds) }
  await server.register(dataAccess, { schema, slowQueryMillis: 3_600_000, waitForDatabaseSeconds: 30, pool })
  server.get('/read', (request) => request.repo(users).get(1))
  server.get('/work', async (request) => {
    await request.db.execute(sql`select pg_sleep(0.05)`)
    return {}
  })
}

await server.listen({ host: '127.0.0.1', port: 0 })
console.log(new URL(server.listeningOrigin).port)
