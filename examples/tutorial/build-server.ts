import Fastify, { type FastifyServerOptions } from 'fastify'
import dataAccess from '../../plugins/index.js'
import { routes } from './routes.js'
import * as schema from './schema.js'

// Fastify would drop a property that the schema does not name without a word.
const refuseUnknown = { ajv: { customOptions: { removeAdditional: false } } }

export async function buildServer (connectionString?: string, options: FastifyServerOptions = {}) {
  const server = Fastify({ ...refuseUnknown, ...options })
  await server.register(dataAccess, {
    connectionString,                                        // without one: DATABASE_URL
    schema,
    casing: 'snake_case',                                    // customerId is customer_id in the database
    errors: { constraints: { customers_email_unique: { status: 409, code: 'EMAIL_TAKEN', message: 'This address is taken' } } }
  })
  await server.register(routes)
  return server
}
