import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import Fastify, { type FastifyServerOptions } from 'fastify'
import dataAccess from '../../plugins/index.js'
import { articleRoutes, favoriteRoutes } from './articles/routes.js'
import { auth } from './auth.js'
import { commentRoutes } from './comments/routes.js'
import { answerError, constraints, errorBody, Refusal } from './errors.js'
import { profileRoutes } from './profiles/routes.js'
import * as schema from './schema.js'
import { tagRoutes } from './tags/routes.js'
import { userRoutes } from './users/routes.js'

export interface AppOptions {
  readonly connectionString: string
  /** Signs the tokens. Keep it secret: its holder can sign in as every user. */
  readonly secret: string
  readonly server?: FastifyServerOptions
}

/** The application, ready to listen, or for `inject` in a test. */
export async function buildApp ({ connectionString, secret, server: options = {} }: AppOptions) {
  // Properties that a schema does not name are removed, so a client cannot write other columns, such as an author.
  const server = Fastify({ ...options, ajv: { customOptions: { removeAdditional: 'all' } } }).withTypeProvider<TypeBoxTypeProvider>()
  server.setErrorHandler(answerError)
  server.setNotFoundHandler(() => { throw new Refusal(404, 'there is nothing here') })

  // Clients of this API send a JSON content type without a body, for example with a DELETE.
  const parse = server.getDefaultJsonParser('error', 'error')
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null)
    else parse(request, String(body), done)
  })

  await server.register(swagger, {
    openapi: {
      info: { title: 'Conduit', version: '1.0.0' },
      components: { securitySchemes: { Token: { type: 'apiKey', name: 'Authorization', in: 'header', description: 'Token xxxxxx.yyyyyyy.zzzzzz' } } }
    }
  })
  await server.register(swaggerUi, { routePrefix: '/docs' })
  await server.register(dataAccess, { connectionString, schema, casing: 'snake_case', errors: { constraints } })
  await server.register(auth, { secret })

  await server.register(async (api) => {
    api.addHook('onRoute', ({ schema = {} }) => { schema.response = { ...Object(schema.response), '4xx': errorBody } })
    for (const routes of [userRoutes, profileRoutes, articleRoutes, favoriteRoutes, commentRoutes, tagRoutes]) await api.register(routes)
  }, { prefix: '/api' })
  return server
}
