import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'

/** Resets the status and headers of a reply. */
export function restore (reply: FastifyReply, { statusCode, headers }: { statusCode: number, headers: ReturnType<FastifyReply['getHeaders']> }): void {
  for (const name of Object.keys(reply.getHeaders())) reply.removeHeader(name)
  reply.code(statusCode).headers(headers)
}

/** Fastify uses these methods, without any hooks, for the reply to a second error of the same request. */
const writers = ['writeHead', 'write', 'end'] as const

/** Ignores all writes to a response until {@link letWrite}, because the deciding reply has not been written yet. */
export function keepFromWriting (raw: ServerResponse): void {
  for (const name of writers) Object.defineProperty(raw, name, { configurable: true, value: () => raw })
}

/** Ends {@link keepFromWriting}. */
export function letWrite (raw: ServerResponse): void {
  for (const name of writers) Reflect.deleteProperty(raw, name)
}
