import fp from 'fastify-plugin'
import { checkSettings } from '../src/errors/check-call.js'
import { SettingsError } from '../src/errors/settings-error.js'
import { databaseIn, loggerFor } from './server-databases.js'
import { warnOfShortPluginTimeoutForMigrations } from './time-limits.js'
import type { FastifyInstance } from 'fastify'
import type { MigrationsAtStart } from '../src/migrations/startup-migrations.js'
import type { DatabaseOptions } from '../src/settings/settings.js'

/** The part of the common options that this plugin reads. */
export interface MigrationsPluginOptions extends Pick<DatabaseOptions, 'name' | 'degraded' | 'logger'> {
  /** How the server handles migrations when it starts. @defaultValue nothing */
  readonly migrations?: MigrationsAtStart | undefined
}

/**
 * Checks that the database has the migrations of the folder, or applies them, before the server is ready.
 *
 * @throws {SettingsError} for an unknown or invalid option, with its name
 * @throws {MigrationError} if the folder and the database do not match, or a migration fails
 */
async function plugin (fastify: FastifyInstance, { name, migrations: options, degraded = false, logger = loggerFor(fastify, name) }: MigrationsPluginOptions): Promise<void> {
  if (options === undefined) return
  // Most of what the package loads is for migrations, so that a server without them starts sooner.
  const { defaultLockTimeoutSeconds, StartupMigrations, startChecks } = await import('../src/migrations/startup-migrations.js')
  checkSettings({ path: 'migrations' }, options, startChecks)
  if (name !== undefined && options.folder === undefined) throw new SettingsError('migrations.folder', `must be given for '${name}': the default is the folder of the database without a name`)
  if (options.atStart === 'ignore') return
  if (options.atStart === 'apply') warnOfShortPluginTimeoutForMigrations(fastify, { lockTimeoutSeconds: options.lockTimeoutSeconds ?? defaultLockTimeoutSeconds, logger })
  const database = databaseIn(fastify, name)
  const migrations = new StartupMigrations(options, { database, logger, degraded })
  database.awaits(() => migrations.reason())
  fastify.addHook('onClose', async () => migrations.stop())
  await migrations.start()
  // They may have enabled row-level security.
  if (options.atStart === 'apply') await database.checkPolicies()
}

/** The plugin that checks or applies migrations when the server starts; register the database plugin before it. */
export const migrationsPlugin = fp(plugin, { fastify: '5.x', name: 'data-access/migrations', dependencies: ['data-access/database'] })
