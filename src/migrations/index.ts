export type { Migration } from './files.js'
export type { MigrationOptions } from './options.js'
export { runMigrations } from './run.js'
export { getCurrentMigration, getMigrationHistory, getPendingMigrations } from './status.js'
