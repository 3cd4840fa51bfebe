import { open as openOurs } from './ours.js'

/** fastify-data-access with a transaction around reads, too. */
export function open (fastify, options) {
  return openOurs(fastify, { ...options, transaction: { begin: 'firstQuery' } })
}
