import { initTRPC, TRPCError } from '@trpc/server'
import { fastifyRequestHandler } from '@trpc/server/adapters/fastify'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { DatabaseError } from '../../plugins/index.js'
import { customers } from './schema.js'

const t = initTRPC.context<{ req: FastifyRequest }>().create({
  // The errors of this package are safe to show; their code says more than INTERNAL_SERVER_ERROR.
  errorFormatter: ({ shape, error }) => error.cause instanceof DatabaseError
    ? { ...shape, message: error.cause.message, data: { ...shape.data, code: error.cause.code, httpStatus: error.cause.statusCode } }
    : shape
})

// Each mutation in a scope of its own: what fails is undone, the others of a batch stay.
const mutation = t.procedure.use(({ ctx, next }) => ctx.req.transaction(async (scope) => {
  const result = await next()                    // a failure is in the result: next() does not throw
  if (!result.ok) scope.rollbackOnly()
  return result
}))

export const router = t.router({
  customer: t.procedure.input(z.number().int()).query(async ({ ctx, input }) => {
    const customer = await ctx.req.repo(customers).get(input)
    if (customer === undefined) throw new TRPCError({ code: 'NOT_FOUND' })
    return customer
  }),
  addCustomer: mutation.input(z.object({ name: z.string().min(1), email: z.email() })).mutation(({ ctx, input }) =>
    ctx.req.repo(customers).create(input))
})

export type AppRouter = typeof router

export async function trpc (server: FastifyInstance) {
  await server.register(async (scope) => {
    // tRPC reads the body itself.
    scope.removeContentTypeParser('application/json')
    scope.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => done(null, body))

    scope.all<{ Params: { path: string } }>('/trpc/:path', {
      // A batch whose parts have ended differently is a 207, which commits only where the route says so.
      config: { transaction: { commitOn: (reply) => reply.statusCode < 400 } }
    }, (req, res) => fastifyRequestHandler({ router, req, res, path: req.params.path, createContext: () => ({ req }) }))
  })
}
