import type { FastifyReply } from 'fastify'

/** Resets the status and headers of a reply. */
export function restore (reply: FastifyReply, { statusCode, headers }: { statusCode: number, headers: ReturnType<FastifyReply['getHeaders']> }): void {
  for (const name of Object.keys(reply.getHeaders())) reply.removeHeader(name)
  reply.code(statusCode).headers(headers)
}
