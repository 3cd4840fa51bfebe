/**
 * Runs the migrations of a folder, for tests that end the process or start several at once: migrate.ts FOLDER [SCHEMAS]. Prints the
 * applied migrations as JSON.
 */
import { runMigrations } from '../../../src/migrations/index.js'
import type { Migration, MigrationProgress } from '../../../src/migrations/index.js'

const [folder, schemas] = process.argv.slice(2)
const onProgress = ({ tag, statement }: MigrationProgress) => process.stderr.write(`${tag} ${statement}\n`)
const tags = (migrations: readonly Migration[]) => migrations.map(({ tag }) => tag)
const applied = schemas === undefined
  ? tags((await runMigrations({ folder, onProgress })).applied)
  : (await runMigrations({ folder, onProgress, schemas })).schemas.flatMap(({ migrations }) => tags(migrations))
process.stdout.write(JSON.stringify(applied))
