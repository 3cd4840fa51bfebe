/** A server under attack: its statements, and the requests that are sent to it. */
import assert from 'node:assert/strict'
import { build } from '../../helpers/server.js'
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import type { Test } from '../../helpers/test.js'

/** The result of an attack. */
export interface Attack {
  readonly statuses: ReadonlyMap<number, number>
  readonly texts: ReadonlySet<string>
}

/** A server, and the text of each statement that it has sent. */
export interface Target {
  readonly server: FastifyInstance
  readonly texts: Set<string>
}

/** The requests of an attack, and what their replies must be. */
export interface Requests {
  readonly requests: number
  readonly next: () => InjectOptions
  /** Throws for a wrong reply. */
  readonly check: (request: InjectOptions, reply: LightMyRequestResponse) => void
}

/** A server with a database of its own. */
export async function buildTarget (t: Test): Promise<Target> {
  const texts = new Set<string>()
  const write = (line: string): void => {
    const { statement } = JSON.parse(line)
    if (typeof statement === 'string') texts.add(statement)
  }
  return { server: await build(t, { echo: true, server: { logger: { level: 'trace', stream: { write } } } }), texts }
}

/** Sends the requests, twenty at a time. Rejects at the first wrong reply. */
export async function sendTo ({ server, texts }: Target, { requests, next, check }: Requests): Promise<Attack> {
  await server.ready()
  texts.clear()
  const statuses = new Map<number, number>()
  for (let sent = 0; sent < requests; sent += 20) {
    await Promise.all(Array.from({ length: 20 }, async () => {
      const request = next()
      const reply = await server.inject(request)
      statuses.set(reply.statusCode, (statuses.get(reply.statusCode) ?? 0) + 1)
      check(request, reply)
    }))
  }
  assert.equal(Object.keys(Object.prototype).length, 0)
  return { statuses, texts: new Set(texts) }
}
