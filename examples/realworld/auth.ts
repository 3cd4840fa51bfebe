import jwt from '@fastify/jwt'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Refusal } from './errors.js'

declare module '@fastify/jwt' {
  interface FastifyJWT {
    payload: { sub: string }
    user: { id: number }
  }
}

/** Reads `Authorization: Token …`. */
export const auth = fp<{ secret: string }>(async (server, { secret }) => {
  await server.register(jwt, {
    secret,
    sign: { expiresIn: '60 days' },
    verify: { extractToken: ({ headers }) => headers.authorization?.match(/^Token (\S+)$/)?.[1] },
    formatUser: ({ sub }) => ({ id: Number(sub) })
  })
})

async function verify (request: FastifyRequest): Promise<void> {
  await request.jwtVerify().catch(() => { throw new Refusal(401, 'a valid token is needed') })
}

/** For routes of signed-in users. Others get a 401 before the body is read, and before a connection is taken. */
export const signedIn = { onRequest: verify }

/** For routes that show more to a signed-in user. A given token must be valid. */
export const anyone = { onRequest: async (request: FastifyRequest) => { if (request.headers.authorization !== undefined) await verify(request) } }

/** The same for the OpenAPI page. */
export const required = { security: [{ Token: [] }] }

/** The id of the signed-in user; 0, which no user has, without one. */
export function viewerOf (request: FastifyRequest): number {
  const user: { id: number } | null = request.user
  return user?.id ?? 0
}
