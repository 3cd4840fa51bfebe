import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { StartedMigrations, type MigrationsAtStart } from '../src/migrations/at-start.js'
import { complaint } from '../src/migrations/limits.js'
import { SettingsError } from '../src/settings/settings-error.js'
import { warnOfShortPluginTimeoutForMigrations } from './time-limits.js'
import type { DatabaseOptions } from '../src/settings.js'

/** The part of the common options that this plugin reads. */
export interface MigrationsPluginOptions extends Pick<DatabaseOptions, 'degraded' | 'logger'> {
  /** What the server does about migrations when it starts; nothing unless given. */
  readonly migrations?: MigrationsAtStart | undefined
}

/**
 * Looks whether the database has the migrations of the folder, or applies them, before the server is ready.
 *
 * @throws {SettingsError} for an option that does not exist or cannot be used, with its name
 * @throws {MigrationError} when folder and database do not fit, or a migration fails
 */
async function plugin (fastify: FastifyInstance, { migrations: options, degraded = false, logger = fastify.log }: MigrationsPluginOptions): Promise<void> {
  if (options === undefined) return
  checkOptions(options)
  if (options.atStart === 'ignore') return
  if (options.atStart === 'apply') warnOfShortPluginTimeoutForMigrations(fastify, { lockTimeoutSeconds: options.lockTimeoutSeconds, logger })
  const migrations = new StartedMigrations(options, { database: fastify.db, logger, degraded })
  fastify.db.awaits(() => migrations.reason())
  fastify.addHook('onClose', async () => migrations.stop())
  await migrations.start()
}

const oneOf = (...values: string[]) => (value: unknown): string | undefined =>
  values.some((allowed) => allowed === value) ? undefined : values.map((allowed) => `'${allowed}'`).join(' or ')
const text = (value: unknown): string | undefined => typeof value === 'string' && value !== '' ? undefined : 'a text'

/** What each option must be and is not, in words that follow "must be". */
const checks: Record<keyof MigrationsAtStart, (value: unknown) => string | undefined> = {
  atStart: oneOf('verify', 'apply', 'ignore'),
  onPending: oneOf('unready', 'refuse'),
  onUnknown: oneOf('warn', 'refuse'),
  folder: text,
  table: text,
  lockTimeoutSeconds: (value) => complaint('lockTimeoutSeconds', value),
  statementLockTimeoutSeconds: (value) => complaint('statementLockTimeoutSeconds', value),
  lockRetries: (value) => complaint('lockRetries', value)
}

function checkOptions (options: MigrationsAtStart): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) throw new SettingsError('migrations', 'must be an object')
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(checks, name)) throw new SettingsError(`migrations.${name}`, `is not an option; there are ${Object.keys(checks).join(', ')}`)
    const must = value === undefined ? undefined : checks[name as keyof MigrationsAtStart](value)
    if (must !== undefined) throw new SettingsError(`migrations.${name}`, `must be ${must}`)
  }
}

/** The plugin that looks after migrations when the server starts; it wants the database plugin before it. */
export const migrationsPlugin = fp(plugin, { fastify: '5.x', name: 'data-access/migrations', dependencies: ['data-access/database'] })

export default migrationsPlugin
