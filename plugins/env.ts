import fastifyEnv from '@fastify/env'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { hide } from '../src/runtime/hidden-properties.js'
import { environmentSchema, missingConnection, readEnvironment } from '../src/settings/settings.js'
import type { DatabaseEnvironment, DatabaseOptions, Environment } from '../src/settings/settings.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** The validated `DATABASE_*` environment: numbers and booleans parsed, defaults filled in, frozen. The URL is not enumerable. */
    databaseConfig: DatabaseEnvironment
  }
}

/** The options that {@link envPlugin} reads. If one is given, `DATABASE_URL` may be absent. */
export type EnvPluginOptions = Pick<DatabaseOptions, 'connectionString' | 'pg'>

const decorator = 'databaseEnvironment'

/**
 * Reads the `DATABASE_*` variables into `fastify.databaseConfig`.
 *
 * `@fastify/env` runs in a context of its own, so it does not set `fastify.config` and `getEnvs` of the user's server.
 *
 * @throws {SettingsError} for an invalid variable, or if no option or variable names the database
 */
async function plugin (fastify: FastifyInstance, options: EnvPluginOptions): Promise<void> {
  await fastify.register(async (context) => {
    await context.register(fastifyEnv, { confKey: decorator, schema: environmentSchema })
    const texts = context.getDecorator<Environment>(decorator)
    fastify.decorate('databaseConfig', readEnvironment(texts))
    // The context remains a child of the server, so an inspection of the server would show the URL.
    hide(texts, ...['DATABASE_URL', 'DATABASE_REPLICA_URLS'].filter((name) => name in texts))
  })

  const isNamed = options.connectionString !== undefined || options.pg !== undefined || fastify.hasDecorator('pg')
  if (!isNamed && fastify.databaseConfig.DATABASE_URL === undefined) throw missingConnection()
}

/** The plugin that reads the environment; `fastify.databaseConfig` is the `environment` for {@link resolveSettings}. */
export const envPlugin = fp(plugin, { fastify: '5.x', name: 'data-access/env' })
