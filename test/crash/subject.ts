/**
 * The program under test, a child process of the driver: a Fastify server whose routes make visible what is lost, half or
 * there although it was refused. What it is to be stands in the environment variable `SUBJECT`, as JSON.
 */
import Fastify from 'fastify'
import { addOwnRoutes } from './own-routes.js'
import { addRivalRoutes } from './rival-routes.js'
import type { WayName } from '../rivals/ways.js'

/** Which server it is, and where its database is. */
export interface SubjectOptions {
  readonly kind: WayName
  readonly connectionString: string
  /** Of this package only: whether the reply waits for the commit. */
  readonly commit: 'onSend' | 'onResponse'
  /** Of this package only: whether it finds out what became of a COMMIT whose answer is lost. */
  readonly resolveCommits: boolean
}

/** What is known of a server beside its routes. */
export interface SubjectRoutes {
  /** How many connections are checked out. */
  inUse (): number
}

const options = JSON.parse(process.env['SUBJECT'] ?? '') as SubjectOptions
const server = Fastify({ handlerTimeout: 5000, forceCloseConnections: true })
const add = options.kind === 'fastify-data-access' ? addOwnRoutes : addRivalRoutes
const { inUse } = await add(server, options)
server.get('/in-use', () => ({ inUse: inUse() }))
process.once('SIGTERM', () => { server.close() })
await server.listen({ port: 0, host: '127.0.0.1' })
console.log(`listening on ${new URL(server.listeningOrigin).port}`)
