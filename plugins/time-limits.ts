import { defaultLockTimeoutSeconds } from '../src/migrations/history/option-limits.js'
import type { FastifyInstance } from 'fastify'
import type { Logger } from '../src/runtime/logger.js'
import type { Settings } from '../src/settings/settings.js'
import type { TransactionSettings } from '../src/settings/transaction-options.js'

/**
 * Warns when Fastify gives up a handler before PostgreSQL would have given up its statement: the client gets 503 from a
 * request that may still be at work then, and the database's own limits never tell what was slow.
 */
export function warnOfShortHandlerTimeout (fastify: FastifyInstance, settings: Settings, { settleTimeoutMillis }: TransactionSettings): void {
  // Missing from the type declaration of Fastify's initial configuration; 0 is none.
  const handlerTimeout = Number(Object(fastify.initialConfig).handlerTimeout)
  const statementTimeoutMillis = settings.statementTimeoutSeconds * 1000
  // A pool of the user's own has limits of its own, too.
  const isBounded = settings.pg === undefined && statementTimeoutMillis > 0
  if (handlerTimeout === 0 || !isBounded || handlerTimeout >= statementTimeoutMillis + settleTimeoutMillis) return
  settings.logger.warn(
    { handlerTimeout, statementTimeoutMillis, settleTimeoutMillis },
    'handlerTimeout is shorter than statementTimeoutSeconds and transaction.settleTimeoutMillis together: raise it, or lower them'
  )
}

/** Warns when Fastify gives up the start before the wait for the database is over. */
export function warnOfShortPluginTimeout (fastify: FastifyInstance, { waitForDatabaseSeconds, logger }: Settings): void {
  const { pluginTimeout = 0 } = fastify.initialConfig
  if (pluginTimeout === 0 || waitForDatabaseSeconds * 1000 < pluginTimeout) return
  logger.warn({ pluginTimeout, waitForDatabaseSeconds }, 'pluginTimeout is shorter than waitForDatabaseSeconds: raise it, in the options of Fastify, or the start ends before the wait')
}

/** Warns when Fastify gives up the start while another server may still be applying migrations. */
export function warnOfShortPluginTimeoutForMigrations (fastify: FastifyInstance, { lockTimeoutSeconds = defaultLockTimeoutSeconds, logger }: { lockTimeoutSeconds?: number | undefined, logger: Logger }): void {
  const { pluginTimeout = 0 } = fastify.initialConfig
  if (pluginTimeout === 0 || lockTimeoutSeconds * 1000 < pluginTimeout) return
  logger.warn({ pluginTimeout, lockTimeoutSeconds }, 'pluginTimeout is shorter than migrations.lockTimeoutSeconds: raise it, in the options of Fastify (0 for none), or the start ends while migrations are waited for')
}
