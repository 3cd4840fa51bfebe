import type { FastifyReply } from 'fastify'

/** The reply says again what it said before. */
export function restore (reply: FastifyReply, { statusCode, headers }: { statusCode: number, headers: ReturnType<FastifyReply['getHeaders']> }): void {
  for (const name of Object.keys(reply.getHeaders())) reply.removeHeader(name)
  reply.code(statusCode).headers(headers)
}
