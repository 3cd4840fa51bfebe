import { open as openOurs } from './ours.js'

/** fastify-data-access with lookups that share connections. */
export function open (fastify, options) {
  return openOurs(fastify, { ...options, pool: { sharedReads: true } })
}
