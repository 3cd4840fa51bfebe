import fp from 'fastify-plugin'
import { Database } from '../src/database/database.js'
import { givenOptions } from '../src/settings/given-options.js'
import { SettingsError } from '../src/errors/settings-error.js'
import { checkAnother, databasePlugin } from './database.js'
import { envPlugin } from './env.js'
import { errorsPlugin } from './errors.js'
import { healthPlugin, refuseTakenRoutes } from './health.js'
import { migrationsPlugin } from './migrations.js'
import { recorderPlugin } from './recorder.js'
import { repositoryPlugin } from './repository.js'
import { refuseTelemetry, telemetryPlugin } from './telemetry.js'
import { transactionPlugin } from './transaction.js'
import type { FastifyInstance } from 'fastify'
import type { DatabaseOptions } from '../src/settings/settings.js'
import type { ErrorsPluginOptions } from './errors.js'
import type { HealthPluginOptions } from './health.js'
import type { MigrationsPluginOptions } from './migrations.js'
import type { RecorderPluginOptions } from './recorder.js'
import type { TelemetryPluginOptions } from './telemetry.js'
import type { TransactionPluginOptions } from './request/transaction-plan.js'

export * from '../src/index.js'
export { crud } from './crud.js'
export type { CrudList, CrudOptions, TableOf, WritableOf } from './crud.js'
export { databasePlugin } from './database.js'
export { envPlugin } from './env.js'
export { errorsPlugin } from './errors.js'
export { healthPlugin } from './health.js'
export { migrationsPlugin } from './migrations.js'
export { recorderPlugin } from './recorder.js'
export { repositoryPlugin } from './repository.js'
export { telemetryPlugin } from './telemetry.js'
export type { StatementBudgetOption } from './telemetry/statement-budget.js'
export { transactionPlugin } from './transaction.js'
export type { DatabasePluginOptions } from './database.js'
export type { EnvPluginOptions } from './env.js'
export type { ErrorsOptions, ErrorsPluginOptions } from './errors.js'
export type { HealthOptions, HealthPluginOptions } from './health.js'
export type { MigrationsPluginOptions } from './migrations.js'
export type { MigrationsAtStart } from '../src/migrations/startup-migrations.js'
export type { RecorderOptions, RecorderPluginOptions } from './recorder.js'
export type { ReadYourWritesOptions, ReadYourWritesPluginOptions } from './request/read-your-writes.js'
export type { TelemetryPluginOptions } from './telemetry.js'
export type { Databases, RequestDatabases } from './server-databases.js'
export type { FixedContext, RequestContext, RequestTransactionOptions, TransactionPluginOptions } from './request/transaction-plan.js'

/** Everything that `register` takes; each plugin reads its own part. */
export type DataAccessOptions = DatabaseOptions & TransactionPluginOptions & ErrorsPluginOptions & HealthPluginOptions & MigrationsPluginOptions & RecorderPluginOptions & TelemetryPluginOptions

const decorators = ['db', 'databaseConfig', 'databases']
const requestDecorators = ['db', 'repo', 'transaction', 'databases']

/**
 * Gives a server a PostgreSQL pool wrapped by Drizzle, one transaction per request, repositories, typed errors and health routes.
 * Registered once more with a `name`, it adds another database: `fastify.databases.billing`, `request.databases.billing`.
 *
 * @throws {SettingsError} for an unknown or invalid setting, with its name
 * @throws {ConnectionError} if the server does not answer
 * @throws {MigrationError} with `migrations`, if the folder and the database do not match
 * @example
 * ```ts
 * await server.register(dataAccess, { schema })
 * server.get('/users/:id', (request) => request.repo(users).getOrThrow(request.params.id))
 * ```
 */
async function plugin (fastify: FastifyInstance, options: DataAccessOptions): Promise<void> {
  if (Object(options).name !== undefined) return await addDatabase(fastify, options)
  refuseTakenNames(fastify)
  givenOptions(options)
  refuseTakenRoutes(fastify, options)
  await fastify.register(envPlugin, options)
  await fastify.register(errorsPlugin, options)
  await fastify.register(databasePlugin, options)
  await fastify.register(migrationsPlugin, options)
  await fastify.register(transactionPlugin, options)
  await fastify.register(telemetryPlugin, options)
  await fastify.register(repositoryPlugin, options)
  await fastify.register(healthPlugin, options)
  await fastify.register(recorderPlugin, options)
}

/** The hooks of the first database serve all of them. */
async function addDatabase (fastify: FastifyInstance, options: DataAccessOptions): Promise<void> {
  checkAnother(fastify, options.name as string, options)
  refuseTelemetry(options)
  refuseTakenRoutes(fastify, options)
  await fastify.register(envPlugin, options)
  await fastify.register(databasePlugin, options)
  await fastify.register(migrationsPlugin, options)
  await fastify.register(healthPlugin, options)
  await fastify.register(recorderPlugin, options)
}

function refuseTakenNames (fastify: FastifyInstance): void {
  if (fastify.hasDecorator('db') && fastify.db instanceof Database) {
    throw new SettingsError('fastify-data-access', 'is registered already on this server: register it once, at the root, and a further database with a name of its own, as { name: \'billing\' }')
  }
  const taken = [
    ...decorators.filter((name) => fastify.hasDecorator(name)).map((name) => `fastify.${name}`),
    ...requestDecorators.filter((name) => fastify.hasRequestDecorator(name)).map((name) => `request.${name}`)
  ]
  if (taken.length > 0) throw new SettingsError(taken.join(', '), 'was decorated before by somebody else: fastify-data-access needs that name')
}

/** {@inheritDoc plugin} */
export const dataAccess = fp(plugin, { fastify: '5.x', name: 'fastify-data-access' })

export default dataAccess
