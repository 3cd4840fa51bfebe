import { open as openOurs } from './ours.js'

/** fastify-data-access, whose create is one statement that commits by itself. */
export function open (fastify, options) {
  fastify.addHook('onRoute', (route) => {
    if (route.method === 'POST' && route.url === '/accounts') route.config = { ...route.config, transaction: { single: true } }
  })
  return openOurs(fastify, options)
}
