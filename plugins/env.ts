import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { hide } from '../src/runtime/hidden-properties.js'
import { checkName, environmentPrefix, environmentSchema, hiddenVariables, missingConnection, readVariables, unknownVariables } from '../src/settings/settings.js'
import { databasesIn, loggerFor, registeredPool } from './server-databases.js'
import type { DatabaseEnvironment, DatabaseOptions, Environment } from '../src/settings/settings.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** The validated `DATABASE_*` environment: numbers and booleans parsed, defaults filled in, frozen. The URL is not enumerable. */
    databaseConfig: DatabaseEnvironment
  }
}

/** The options that {@link envPlugin} reads. If `connectionString` or `pg` is given, `DATABASE_URL` may be absent. */
export type EnvPluginOptions = Pick<DatabaseOptions, 'name' | 'connectionString' | 'pg' | 'logger'>

const decorator = 'databaseEnvironment'

/**
 * Reads the `DATABASE_*` variables into `fastify.databaseConfig`; with a `name`, those of that database, `BILLING_DATABASE_*`.
 *
 * `@fastify/env` runs in a context of its own, so it does not set `fastify.config` and `getEnvs` of the user's server. It is loaded if one of the variables is set.
 *
 * @throws {SettingsError} for an invalid variable, or if no option or variable names the database
 */
async function plugin (fastify: FastifyInstance, options: EnvPluginOptions): Promise<void> {
  const { name, logger = loggerFor(fastify, name) } = options
  checkName(name)
  const prefix = environmentPrefix(name)
  const variables = readVariables(await readTexts(fastify, prefix), prefix)
  if (name === undefined) fastify.decorate('databaseConfig', variables as DatabaseEnvironment)
  else databasesIn(fastify, name).environments.set(name, variables)

  // Other programs have variables with the plain prefix, too: those are no mistake.
  const unknown = name === undefined ? [] : unknownVariables(process.env, prefix)
  if (unknown.length > 0) logger.warn({ variables: unknown }, 'these variables are not read: they begin like those of the database, and have other names')
  const isNamed = options.connectionString !== undefined || options.pg !== undefined || registeredPool(fastify, name) !== undefined
  if (!isNamed && variables[`${prefix}DATABASE_URL`] === undefined) throw missingConnection(`${prefix}DATABASE_URL`)
}

/** The variables of a database as texts. Without one, `@fastify/env` would read nothing, and would cost the start a validator for JSON schemas. */
async function readTexts (fastify: FastifyInstance, prefix: string): Promise<Environment> {
  const schema = environmentSchema(prefix)
  if (Object.keys(schema.properties).every((variable) => process.env[variable] === undefined)) return {}
  const { default: fastifyEnv } = await import('@fastify/env')
  let texts: Environment = {}
  await fastify.register(async (context) => {
    await context.register(fastifyEnv, { confKey: decorator, schema })
    texts = context.getDecorator<Environment>(decorator)
    // The context remains a child of the server, so an inspection of the server would show the URL.
    hide(texts, ...hiddenVariables(prefix).filter((variable) => variable in texts))
  })
  return texts
}

/** The plugin that reads the environment; `fastify.databaseConfig` is the `environment` for {@link resolveSettings}. */
export const envPlugin = fp(plugin, { fastify: '5.x', name: 'data-access/env' })
