import type { ServerResponse } from 'node:http'

/** Fastify writes the reply to a second error of the same request with these methods, past all hooks. */
const writers = ['writeHead', 'write', 'end'] as const

/** Ignores all writes to a response until {@link letWrite}, because the deciding reply has not been written yet. */
export function keepFromWriting (raw: ServerResponse): void {
  for (const name of writers) Object.defineProperty(raw, name, { configurable: true, value: () => raw })
}

/** Ends {@link keepFromWriting}. */
export function letWrite (raw: ServerResponse): void {
  for (const name of writers) Reflect.deleteProperty(raw, name)
}
