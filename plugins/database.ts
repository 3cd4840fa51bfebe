import fastifyPostgres from '@fastify/postgres'
import fp from 'fastify-plugin'
import { Database } from '../src/database/database.js'
import { poolConfig } from '../src/pool/pool-config.js'
import { givenOptions, resolveSettings, SettingsError } from '../src/settings/settings.js'
import { databasesIn, decorate, loggerFor, registeredPool, ServerDatabases } from './server-databases.js'
import { extendConnection } from '../src/settings/url/connection-string.js'
import { warnOfShortHandlerTimeout, warnOfShortPluginTimeout } from './time-limits.js'
import { databaseTransaction, planTransaction, refuseReplyOptions } from './request/transaction-plan.js'
import type { FastifyInstance } from 'fastify'
import type { Pool } from 'pg'
import type { DatabaseOptions, Settings } from '../src/settings/settings.js'
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
 * Opens the pool with `@fastify/postgres` and decorates `fastify.db`; the server is ready when PostgreSQL has answered. With a
 * `name` the pool is `fastify.pg[name]`, and the database `fastify.databases[name]`.
 *
 * A pool given as `pg`, or by an `@fastify/postgres` that was registered before, is used as it is and never ended here.
 *
 * @throws {SettingsError} for an unknown or invalid setting
 * @throws {ConnectionError} if the server does not answer
 */
async function plugin (fastify: FastifyInstance, options: DatabasePluginOptions): Promise<void> {
  const { name, pg = registeredPool(fastify, name), logger = loggerFor(fastify, name), transaction = {} } = options
  const databases = name === undefined ? new ServerDatabases() : checkAnother(fastify, name, options)
  const environment = name === undefined ? fastify.databaseConfig : databases.environments.get(name)
  const settings = resolveSettings({ ...options, pg, logger }, environment)
  const plan = planTransaction(transaction)
  warnOfShortHandlerTimeout(fastify, settings, plan.settings)
  warnOfShortPluginTimeout(fastify, settings)
  if (pg === undefined) await openPool(fastify, settings, name)

  const ofSessions = databaseTransaction(transaction)
  const database = new Database(pg ?? registeredPool(fastify, name) as Pool, settings, {
    transaction: ofSessions,
    constraints: options.errors?.constraints,
    hasContextFunction: typeof transaction.context === 'function'
  })
  if (name === undefined) {
    fastify.decorate('db', database)
    decorate(fastify, databases)
  }
  databases.add(settings.name, database, { ...options, limits: settings.repository, transaction })
  // Fastify waits for the running requests before the other close hooks, without a limit.
  fastify.addHook('preClose', async () => database.drain())
  // Close hooks run last in, first out: the pool is drained before @fastify/postgres ends it.
  fastify.addHook('onClose', () => database.close())
  // Migrations at the start come before it.
  fastify.addHook('onReady', () => database.checkConstraints())
  await database.start()
}

/**
 * Checks a further database before anything of it is opened; returns the databases of its scope.
 *
 * @throws {SettingsError} for a name or a table that is taken, and for options that belong to the first database
 */
export function checkAnother (fastify: FastifyInstance, name: string, options: DatabasePluginOptions): ServerDatabases {
  givenOptions(options)
  const databases = databasesIn(fastify, name)
  databases.check(name, options)
  refuseReplyOptions(options.transaction ?? {})
  if (options.errors?.format !== undefined) throw new SettingsError('errors.format', 'cannot be given for a database with a name: it holds for all replies, so give it to the one without')
  if (options.readYourWrites !== undefined) throw new SettingsError('readYourWrites', 'cannot be given for a database with a name: replies carry the token of the one without')
  return databases
}

/** The pools of a child scope are not those of its parent, which `@fastify/postgres` would extend. */
async function openPool (fastify: FastifyInstance, settings: Settings, name: string | undefined): Promise<void> {
  if (name !== undefined && fastify.hasDecorator('pg') && !Object.hasOwn(fastify, 'pg')) fastify.decorate<unknown>('pg', Object.create(fastify.pg))
  await fastify.register(fastifyPostgres, extendConnection(poolConfig(settings), name === undefined ? {} : { name }))
}

/** {@inheritDoc plugin} */
export const databasePlugin = fp(plugin, { fastify: '5.x', name: 'data-access/database', dependencies: ['data-access/env'] })
