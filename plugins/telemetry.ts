import fp from 'fastify-plugin'
import { SettingsError } from '../src/errors/settings-error.js'
import { givenOptions } from '../src/settings/given-options.js'
import { resolveSettings } from '../src/settings/settings.js'
import { registeredPool } from './server-databases.js'
import { logUsage } from './telemetry/request-log.js'
import { warnOutsideTransaction } from './telemetry/outside-transaction.js'
import { writeServerTiming } from './telemetry/server-timing.js'
import { budgetOf, limitStatements } from './telemetry/statement-budget.js'
import { UsageWatch } from './telemetry/usage-watch.js'
import type { FastifyInstance, FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import type { DatabaseOptions } from '../src/settings/settings.js'
import type { TransactionPluginOptions } from './request/transaction-plan.js'
import type { StatementBudgetOption } from './telemetry/statement-budget.js'

/** The part of the common options that is about what a request did to the database. */
export interface TelemetryPluginOptions {
  /**
   * Adds the header `Server-Timing` to the replies of requests that used a database: the time of their statements and of their waits for a
   * connection, in milliseconds. Clients see it, and may draw conclusions: it is for development, or for clients that you trust.
   * @defaultValue `false`
   */
  readonly serverTiming?: boolean | undefined
  /**
   * How many statements one request may run, in all databases together: more are one warning with the route and the text that was repeated most, or an error
   * with `{ max, exceed: 'throw' }`. It finds N+1 queries in development; `config.transaction.statementBudget` of a route goes before it.
   * @defaultValue `false`
   */
  readonly statementBudget?: StatementBudgetOption | undefined
  /**
   * Warns, once for each route, of statements over `server.db` in a handler whose request has an open transaction. Such a statement sees nothing of the
   * transaction, and stays when that is rolled back. The warning needs async contexts, which cost time, so it is for development.
   * @defaultValue `true` if `NODE_ENV` is `development`
   */
  readonly warnOutsideTransaction?: boolean | undefined
}

/** Watches what each request does to the databases, if the log or a header shows it. Otherwise nothing is subscribed and nothing is paid. */
async function plugin (fastify: FastifyInstance, options: DatabaseOptions & TelemetryPluginOptions & TransactionPluginOptions): Promise<void> {
  givenOptions(options)
  limitStatements(fastify, budgetOf(options.transaction?.statementBudget ?? options.statementBudget))
  if (options.warnOutsideTransaction ?? process.env['NODE_ENV'] === 'development') warnOutsideTransaction(fastify)
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
      route.onSend = [...[route.onSend].flat().filter((hook) => hook !== undefined).filter((hook) => hook !== tell), tell]
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
export function refuseTelemetry ({ serverTiming, statementBudget, warnOutsideTransaction, transaction }: TelemetryPluginOptions & TransactionPluginOptions): void {
  const refuse = (option: string, verb = 'counts'): never => {
    throw new SettingsError(option, `cannot be given for a database with a name: it ${verb} the statements of all databases, so give it to the one without`)
  }
  if (serverTiming !== undefined) refuse('serverTiming')
  if (statementBudget !== undefined) refuse('statementBudget')
  if (warnOutsideTransaction !== undefined) refuse('warnOutsideTransaction', 'watches')
  if (transaction?.statementBudget !== undefined) refuse('transaction.statementBudget')
}

/** {@inheritDoc plugin} */
export const telemetryPlugin = fp(plugin, { fastify: '5.x', name: 'data-access/telemetry', dependencies: ['data-access/transaction'] })
