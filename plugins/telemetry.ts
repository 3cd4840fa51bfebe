import fp from 'fastify-plugin'
import { SettingsError } from '../src/errors/settings-error.js'
import { givenOptions } from '../src/settings/given-options.js'
import { resolveSettings } from '../src/settings/settings.js'
import { registeredPool } from './server-databases.js'
import { logUsage } from './telemetry/request-log.js'
import { writeServerTiming } from './telemetry/server-timing.js'
import { UsageWatch } from './telemetry/usage-watch.js'
import type { FastifyInstance, FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import type { DatabaseOptions } from '../src/settings/settings.js'

/** The part of the common options that is about what a request did to the database. */
export interface TelemetryPluginOptions {
  /**
   * Adds the header `Server-Timing` to the replies of requests that used a database: the time of their statements and of their waits for a
   * connection, in milliseconds. Clients see it, and may draw conclusions: it is for development, or for clients that you trust.
   * @defaultValue `false`
   */
  readonly serverTiming?: boolean | undefined
}

/** Watches what each request does to the databases, if the log or a header shows it. Otherwise nothing is subscribed and nothing is paid. */
async function plugin (fastify: FastifyInstance, options: DatabaseOptions & TelemetryPluginOptions): Promise<void> {
  givenOptions(options)
  const { serverTiming = false, pg = registeredPool(fastify, undefined) } = options
  const isLogged = fastify.log.level === 'debug' || fastify.log.level === 'trace'
  if (!serverTiming && !isLogged) return
  const { slowQueryMillis } = resolveSettings({ pg, slowQueryMillis: options.slowQueryMillis }, fastify.databaseConfig)
  const watch = new UsageWatch()

  fastify.addHook('onRequest', (request, _reply, done) => {
    watch.begin(request)
    done()
  })

  if (serverTiming) {
    const tell = (request: FastifyRequest, reply: FastifyReply, _payload: unknown, done: HookHandlerDoneFunction): void => {
      const usage = watch.of(request)
      if (usage !== undefined) writeServerTiming(reply, usage)
      done()
    }
    // Behind the hook that commits, which may run statements of beforeCommit(). A HEAD route has the hooks of its GET route already.
    fastify.addHook('onRoute', (route) => {
      route.onSend = [...[route.onSend ?? []].flat().filter((hook) => hook !== tell), tell]
    })
    // For not-found handlers, and routes declared before this plugin.
    fastify.addHook('onSend', tell)
  }

  fastify.addHook('onResponse', (request, _reply, done) => {
    const usage = watch.of(request)
    if (usage !== undefined) logUsage(request, usage, slowQueryMillis)
    done()
  })
  fastify.addHook('onClose', async () => watch.end())
}

/** @throws {SettingsError} for an option of the first database */
export function refuseTelemetry ({ serverTiming }: TelemetryPluginOptions): void {
  if (serverTiming !== undefined) throw new SettingsError('serverTiming', 'cannot be given for a database with a name: it counts the statements of all databases, so give it to the one without')
}

/** {@inheritDoc plugin} */
export const telemetryPlugin = fp(plugin, { fastify: '5.x', name: 'data-access/telemetry', dependencies: ['data-access/transaction'] })
