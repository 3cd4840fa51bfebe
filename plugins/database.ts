import fastifyPostgres from '@fastify/postgres'
import fp from 'fastify-plugin'
import { Database } from '../src/database/database.js'
import { poolConfig } from '../src/pool/pool-config.js'
import { resolveSettings } from '../src/settings/settings.js'
import { warnOfShortHandlerTimeout, warnOfShortPluginTimeout } from './time-limits.js'
import { databaseTransaction, planTransaction } from './request/transaction-plan.js'
import type { FastifyInstance } from 'fastify'
import type { DatabaseOptions } from '../src/settings/settings.js'
import type { ErrorsPluginOptions } from './errors.js'
import type { TransactionPluginOptions } from './request/transaction-plan.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** The Drizzle-wrapped pool: sessions, repositories that commit each call, Drizzle, health. */
    db: Database
  }
}

/** The part of the common options that this plugin reads. */
export type DatabasePluginOptions = DatabaseOptions & ErrorsPluginOptions & TransactionPluginOptions

/**
 * Opens the pool with `@fastify/postgres` and decorates `fastify.db`; the server is ready when PostgreSQL has answered.
 *
 * A pool given as `pg`, or by an `@fastify/postgres` that was registered before, is used as it is and never ended here.
 *
 * @throws {SettingsError} for an unknown or invalid setting
 * @throws {ConnectionError} if the server does not answer
 */
async function plugin (fastify: FastifyInstance, options: DatabasePluginOptions): Promise<void> {
  const { pg = registeredPool(fastify), logger = fastify.log, transaction = {} } = options
  const settings = resolveSettings({ ...options, pg, logger }, fastify.databaseConfig)
  const plan = planTransaction(transaction)
  warnOfShortHandlerTimeout(fastify, settings, plan.settings)
  warnOfShortPluginTimeout(fastify, settings)
  if (pg === undefined) await fastify.register(fastifyPostgres, poolConfig(settings))

  const database = new Database(pg ?? fastify.pg.pool, settings, {
    transaction: databaseTransaction(transaction),
    constraints: options.errors?.constraints
  })
  fastify.decorate('db', database)
  // Fastify waits for the running requests before the other close hooks, without a limit.
  fastify.addHook('preClose', async () => database.drain())
  // Close hooks run last in, first out: the pool is drained before @fastify/postgres ends it.
  fastify.addHook('onClose', () => database.close())
  await database.start()
}

function registeredPool (fastify: FastifyInstance): DatabaseOptions['pg'] {
  return fastify.hasDecorator('pg') ? fastify.pg.pool : undefined
}

/** {@inheritDoc plugin} */
export const databasePlugin = fp(plugin, { fastify: '5.x', name: 'data-access/database', dependencies: ['data-access/env'] })
