/** A server with a live page, in a process of its own. `GET /load` works with the database, `GET /processor` tells its processor time in milliseconds. */
import Fastify from 'fastify'
import dataAccess from '../../../plugins/index.js'
import { schema, users } from '../../helpers/schema.js'

const server = Fastify()
await server.register(dataAccess, { schema, slowQueryMillis: 3_600_000, health: { live: true }, pool: { size: 10, maxOverflow: 0 } })
server.get('/load', async (request) => {
  await request.repo(users).count()
  return await request.transaction((scope) => scope.repo(users).getAll())
})
server.get('/processor', { config: { transaction: false } }, async () => {
  const { user, system } = process.cpuUsage()
  return { millis: (user + system) / 1000 }
})
await server.listen({ host: '127.0.0.1', port: 0 })
console.log(server.listeningOrigin)
