import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { type FastifyServerOptions } from 'fastify'
import dataAccess from '../../plugins/index.js'
import { routes } from './routes.js'
import * as schema from './schema.js'

/** The server, ready to listen, or for `inject` in a test. */
export async function buildServer (connectionString: string, options: FastifyServerOptions = {}) {
  const server = Fastify(options).withTypeProvider<TypeBoxTypeProvider>()

  await server.register(swagger, { openapi: { info: { title: 'Users and posts', version: '1.0.0' } } })
  await server.register(swaggerUi, { routePrefix: '/docs' })
  await server.register(dataAccess, { connectionString, schema, casing: 'snake_case' })
  await server.register(routes)

  return server
}
