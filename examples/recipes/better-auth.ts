import { betterAuth } from 'better-auth'
import { drizzleAdapter } from 'better-auth/adapters/drizzle'
import { fromNodeHeaders } from 'better-auth/node'
import type { FastifyInstance } from 'fastify'
import * as authTables from './auth-schema.js'

export async function withAuth (server: FastifyInstance, { secret, baseURL }: { secret: string, baseURL: string }) {
  const auth = betterAuth({
    database: drizzleAdapter(server.db.drizzle, { provider: 'pg', schema: authTables, transaction: true }),
    emailAndPassword: { enabled: true },
    secret,
    baseURL
  })

  // Its statements commit by themselves, so its routes need no transaction of a request.
  server.route({
    method: ['GET', 'POST'],
    url: '/api/auth/*',
    config: { transaction: false },
    handler: async (request, reply) => {
      const answer = await auth.handler(new Request(new URL(request.url, baseURL), {
        method: request.method,
        headers: fromNodeHeaders(request.headers),
        ...(request.method === 'POST' && { body: JSON.stringify(request.body ?? {}) })
      }))
      reply.code(answer.status)
      for (const [name, value] of answer.headers) if (name !== 'set-cookie') reply.header(name, value)
      reply.header('set-cookie', answer.headers.getSetCookie())
      return reply.send(await answer.text())
    }
  })

  server.get('/me', async (request, reply) => {
    const session = await auth.api.getSession({ headers: fromNodeHeaders(request.headers) })
    if (session === null) return reply.code(401).send({ message: 'Please sign in' })
    return request.repo(authTables.user).getOrThrow(session.user.id)
  })
}
