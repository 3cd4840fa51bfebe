import { createInsertSchema } from 'drizzle-zod'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { listQuery } from '../../plugins/index.js'
import { customers } from './schema.js'

const newCustomer = createInsertSchema(customers, { email: z.email().toLowerCase() })
const byId = z.object({ id: z.coerce.number().int() })
const customerList = listQuery(customers, { filterable: ['name', 'email'], sortable: ['name'] })

export async function withZod (server: FastifyInstance) {
  server.setValidatorCompiler<z.ZodType>(({ schema }) => (data) => {
    const { success, data: value, error } = schema.safeParse(data)
    return success ? { value } : { error }
  })

  server.post<{ Body: z.infer<typeof newCustomer> }>('/customers', { schema: { body: newCustomer } }, async (request, reply) => {
    reply.code(201)
    return request.repo(customers).create(request.body)
  })

  server.get<{ Params: z.infer<typeof byId> }>('/customers/:id', { schema: { params: byId } }, (request) =>
    request.repo(customers).getOrThrow(request.params.id))

  // listQuery checks the query string by itself.
  server.get('/customers', (request) => request.repo(customers).cursor(...customerList.cursor(request.query)))
}
