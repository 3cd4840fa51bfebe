import { open as openOurs } from './ours.js'

/** With a transaction around reads, too. */
export function open (fastify, options) {
  return openOurs(fastify, { ...options, transaction: { begin: 'firstQuery' } })
}
