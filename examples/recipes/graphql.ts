import { inArray } from 'drizzle-orm'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import mercurius from 'mercurius'
import { customers, invoices } from './schema.js'

declare module 'mercurius' {
  interface MercuriusContext { request: FastifyRequest }
}

const schema = `
  type Invoice { id: Int! cents: Int! }
  type Customer { id: Int! name: String! email: String! invoices: [Invoice!]! }
  type Query { customer(id: Int!): Customer! customers(limit: Int = 20): [Customer!]! }
  type Mutation { addCustomer(name: String!, email: String!): Customer }
`

export async function graphql (server: FastifyInstance) {
  await server.register(mercurius, {
    schema,
    context: (request) => ({ request }),

    resolvers: {
      Query: {
        customer: (_root, { id }: { id: number }, { request }) => request.repo(customers).getOrThrow(id),
        customers: (_root, { limit }: { limit: number }, { request }) => request.repo(customers).getAll({ limit })
      },
      Mutation: {
        addCustomer: (_root, values: { name: string, email: string }, { request }) => request.repo(customers).create(values)
      }
    },

    // One statement for the invoices of all customers of a reply, not one for each. A query of Drizzle has no limit, which would cut some off.
    loaders: {
      Customer: {
        invoices: async (queries: Array<{ obj: { id: number } }>, { request }) => {
          const ofThem = inArray(invoices.customerId, queries.map(({ obj }) => obj.id))
          const rows = await request.db.drizzle.select().from(invoices).where(ofThem).orderBy(invoices.id)
          return queries.map(({ obj }) => rows.filter((row) => row.customerId === obj.id))
        }
      }
    },

    // A reply with a failed resolver may have status 200. If something was written, nothing of it may stay, nor be told of.
    errorFormatter: (execution, context) => {
      const { statusCode, response } = mercurius.defaultErrorFormatter(execution, context)
      if (context.request.db.outcome === 'none') return { statusCode, response }
      context.request.db.rollbackOnly('a resolver has failed')
      return { statusCode, response: { ...response, data: null } }
    }
  })
}
