import type { ServerResponse } from 'node:http'

/** Of a second error for the same request Fastify writes the reply itself, past all hooks. */
const writers = ['writeHead', 'write', 'end'] as const

/** Swallows what is written to a response, until {@link letWrite}: the reply that decided has not been written yet. */
export function keepFromWriting (raw: ServerResponse): void {
  for (const name of writers) Object.defineProperty(raw, name, { configurable: true, value: () => raw })
}

/** Lets a response be written again. */
export function letWrite (raw: ServerResponse): void {
  for (const name of writers) Reflect.deleteProperty(raw, name)
}
