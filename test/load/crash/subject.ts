/**
 * The program under test, a child process of the driver: a Fastify server whose routes reveal rows that are lost, half written,
 * or stored although refused. The environment variable `SUBJECT` has its options as JSON.
 */
import Fastify from 'fastify'
import { addOwnRoutes } from './own-routes.js'
import { addRivalRoutes } from './rival-routes.js'
import type { SubjectOptions } from './subject-routes.js'

const options = JSON.parse(process.env['SUBJECT'] ?? '') as SubjectOptions
const server = Fastify({ handlerTimeout: 5000, forceCloseConnections: true })
const add = options.kind === 'fastify-data-access' ? addOwnRoutes : addRivalRoutes
const { inUse } = await add(server, options)
server.get('/in-use', () => ({ inUse: inUse() }))
process.once('SIGTERM', () => { server.close() })
await server.listen({ port: 0, host: '127.0.0.1' })
console.log(`listening on ${new URL(server.listeningOrigin).port}`)
