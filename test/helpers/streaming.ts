import type { AddressInfo } from 'node:net'
import compress from '@fastify/compress'
import { payloads } from './payloads.js'
import { build } from './server.js'
import type { FastifyInstance } from 'fastify'
import type { Test } from './test.js'
import type { DataAccessOptions } from '../../plugins/index.js'

/** The hooks that a stream passes, and their order. */
export const dresses = ['bare', 'compressed before', 'compressed behind'] as const

/** A server on which streams pass such hooks. */
export async function dressed (t: Test, dress: typeof dresses[number], transaction: DataAccessOptions['transaction'] = {}): Promise<FastifyInstance> {
  const wrap = async (server: FastifyInstance): Promise<void> => { await server.register(compress, { threshold: 0, encodings: ['gzip'] }) }
  const server = await build(t, { transaction, before: async (server) => { if (dress === 'compressed before') await wrap(server) } })
  if (dress === 'compressed behind') await wrap(server)
  return server
}

/** The kinds of streams that such hooks accept: those of `@fastify/compress` accept only Node's own web streams. */
export function kindsUnder (dress: typeof dresses[number]): string[] {
  return Object.keys(payloads).filter((kind) => kind !== 'foreign' || dress === 'bare')
}

/** The response that a client receives. */
export interface Answer {
  readonly status: number
  readonly encoding: string | null
  /** The body, if it arrived whole. */
  readonly body: string | undefined
}

/** Sends a request to a server, which is listening afterwards. */
export async function ask (
  server: FastifyInstance,
  url: string,
  { method = 'GET', begun = async () => {} }: { method?: string, begun?: () => Promise<void> } = {}
): Promise<Answer> {
  if (!server.server.listening) await server.listen({ host: '127.0.0.1', port: 0 })
  const answer = await fetch(`http://127.0.0.1:${(server.server.address() as AddressInfo).port}${url}`, { method, headers: { 'accept-encoding': 'gzip' } })
  await begun()
  const body = await answer.text().catch(() => undefined)
  return { status: answer.status, body, encoding: answer.headers.get('content-encoding') }
}

/** The status of a successful reply of one kind. */
export const ok = (kind: string): number => kind === 'response' ? 201 : 200
