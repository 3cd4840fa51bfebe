import { open as openOurs } from './ours.js'

/** fastify-data-access with a context for each request, without which nothing is sent. */
export function open (fastify, options) {
  const context = (request) => ({ settings: { 'app.tenant_id': '42', 'app.request_id': request.id } })
  return openOurs(fastify, { ...options, transaction: { context, contextRequired: true } })
}
