import type { FastifyInstance } from 'fastify'
import type { Logger } from '../src/runtime/logger.js'
import type { Settings } from '../src/settings/settings.js'
import type { TransactionSettings } from '../src/settings/transaction-options.js'

/**
 * Warns if Fastify's handler timeout is shorter than PostgreSQL's statement timeout: the client gets 503 although the request may
 * still be running, and the database's own limits never show which statement was slow.
 */
export function warnOfShortHandlerTimeout (fastify: FastifyInstance, settings: Settings, { settleTimeoutMillis }: TransactionSettings): void {
  // Missing from the types of Fastify's initial configuration; 0 means no limit.
  const handlerTimeout = Number(Object(fastify.initialConfig).handlerTimeout)
  const statementTimeoutMillis = settings.statementTimeoutSeconds * 1000
  // A pool that the user made has limits of its own.
  const isBounded = settings.pg === undefined && statementTimeoutMillis > 0
  if (handlerTimeout === 0 || !isBounded || handlerTimeout >= statementTimeoutMillis + settleTimeoutMillis) return
  settings.logger.warn(
    { handlerTimeout, statementTimeoutMillis, settleTimeoutMillis },
    'handlerTimeout is shorter than statementTimeoutSeconds and transaction.settleTimeoutMillis together: raise it, or lower them'
  )
}

/** Warns if Fastify's plugin timeout is shorter than the wait for the database. */
export function warnOfShortPluginTimeout (fastify: FastifyInstance, { waitForDatabaseSeconds, logger }: Settings): void {
  const { pluginTimeout = 0 } = fastify.initialConfig
  if (pluginTimeout === 0 || waitForDatabaseSeconds * 1000 < pluginTimeout) return
  logger.warn(
    { pluginTimeout, waitForDatabaseSeconds },
    'pluginTimeout is shorter than waitForDatabaseSeconds: raise it, in the options of Fastify, or the start ends before the wait'
  )
}

/** Warns if Fastify's plugin timeout is shorter than the wait for another server's migrations. */
export function warnOfShortPluginTimeoutForMigrations (
  fastify: FastifyInstance,
  { lockTimeoutSeconds, logger }: { lockTimeoutSeconds: number, logger: Logger }
): void {
  const { pluginTimeout = 0 } = fastify.initialConfig
  if (pluginTimeout === 0 || lockTimeoutSeconds * 1000 < pluginTimeout) return
  logger.warn(
    { pluginTimeout, lockTimeoutSeconds },
    'pluginTimeout is shorter than migrations.lockTimeoutSeconds: raise it, in the options of Fastify (0 for none), or the start ends while it waits for migrations'
  )
}
