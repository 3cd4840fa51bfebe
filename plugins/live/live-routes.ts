import { livePage, livePagePolicy } from '../../src/activity/page/activity-page.js'
import { watchActivity } from '../../src/activity/watch-activity.js'
import { LiveFeed } from './live-feed.js'
import type { FastifyInstance, RouteOptions } from 'fastify'
import type { LiveOptions } from './live-options.js'
import type { Activity } from '../../src/activity/activity.js'
import type { Database } from '../../src/database/database.js'

/** What the routes of a live page need. */
export interface LivePlace {
  /** Of the page, its events, and the stacks. */
  readonly paths: readonly string[]
  readonly database: Database
  readonly live: true | LiveOptions
  /** What all health routes share. */
  readonly common: Pick<RouteOptions, 'logLevel' | 'config' | 'preHandler'>
}

/**
 * Adds the live page, its events and the stacks of the connections in use. Without an open page nothing is watched, and a page costs no connection of the pool.
 */
export function addLiveRoutes (fastify: FastifyInstance, { paths, database, live, common }: LivePlace): void {
  const feed = new LiveFeed(database)
  // Fastify waits for open responses before its other close hooks.
  fastify.addHook('preClose', () => feed.close())
  const guard = live === true ? undefined : live.preHandler
  const shared = { ...common, ...(guard !== undefined && { preHandler: guard }), method: 'GET' } as const
  const [page = '', events = '', stacks = ''] = paths

  fastify.route({
    ...shared,
    url: page,
    exposeHeadRoute: true,
    handler: async (_request, reply) => {
      reply.headers({ 'cache-control': 'no-store', 'content-security-policy': livePagePolicy, 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' })
      return reply.type('text/html; charset=utf-8').send(livePage(await now(database)))
    }
  })

  fastify.route({
    ...shared,
    url: stacks,
    exposeHeadRoute: false,
    handler: async (_request, reply) => {
      reply.header('cache-control', 'no-store').type('application/json; charset=utf-8')
      return reply.send(JSON.stringify((await now(database, { stacks: true })).holders))
    }
  })

  fastify.route({
    ...shared,
    url: events,
    exposeHeadRoute: false,
    handler: (_request, reply) => {
      reply.headers({ 'cache-control': 'no-store', 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' })
      // Fastify's own replies wait for hooks and compression; a proxy that buffers would hold events back.
      reply.hijack()
      reply.raw.writeHead(200, reply.getHeaders() as Record<string, string>)
      feed.add(reply.raw)
    }
  })
}

/** What the database does now. While a page is open, this is what its feed watches. */
async function now (database: Database, options?: { readonly stacks: boolean }): Promise<Activity> {
  const view = watchActivity(database, { blockings: false })
  try {
    return view.current(options)
  } finally {
    await view.end()
  }
}
