import type { Client } from 'pg'
import { MigrationError } from '../errors/errors.js'
import { toDatabaseError } from '../errors/sqlstate.js'
import { AppliedTable } from './applied.js'
import type { Migration, MigrationFile } from './files.js'
import { withMigrationLock } from './lock.js'
import { withClient, type MigrationOptions } from './options.js'
import { readStatus, withoutStatements } from './status.js'

/**
 * Applies the migrations that the database does not have yet, one transaction for each file: after a failure it has whole files only.
 * Of several processes that start at once, one applies them and the others wait for it.
 *
 * The files and the table are drizzle-kit's: `drizzle-kit migrate` may take turns with this.
 *
 * @throws {MigrationError} `DB_MIGRATION_EDITED`, `DB_MIGRATION_MISSING` or `DB_MIGRATION_OUT_OF_ORDER` when folder and database do not fit, before anything is changed;
 *   `DB_MIGRATION_LOCKED` when another process holds the lock for too long; `DB_MIGRATION_FAILED` when a statement fails
 *
 * @example
 * const { applied } = await runMigrations({ connectionString: process.env.DATABASE_URL })
 * console.log(applied.map((migration) => migration.tag))
 */
export function runMigrations (options: MigrationOptions = {}): Promise<{ applied: Migration[] }> {
  return withMigrationLock(options, () => withClient(options, async (client) => {
    const { pending } = await readStatus(client, options)
    const table = new AppliedTable(client, options.table)
    await table.create()
    for (const file of pending) await apply(client, table, file)
    return { applied: pending.map(withoutStatements) }
  }))
}

async function apply (client: Client, table: AppliedTable, file: MigrationFile): Promise<void> {
  let place = 'BEGIN'
  try {
    await client.query('begin')
    const began = await transactionId(client)
    for (const [index, statement] of file.statements.entries()) {
      place = `statement ${index + 1} of ${file.statements.length}`
      await client.query(statement)
    }
    if (await transactionId(client) !== began) throw endsItself(file)
    await table.note(file)
    // Deferred constraints speak up here.
    place = 'COMMIT'
    await client.query('commit')
  } catch (error) {
    // On a lost connection there is nothing left to roll back, and the first error is the one to tell.
    await client.query('rollback').catch(() => {})
    throw error instanceof MigrationError ? error : failedAt(place, file, error)
  }
}

async function transactionId (client: Client): Promise<string> {
  const { rows: [row] } = await client.query('select pg_current_xact_id()::text as id')
  return row.id
}

function endsItself ({ tag }: MigrationFile): MigrationError {
  return new MigrationError(
    `${tag}.sql ends its transaction by itself: what came before that stays, although the file counts as not applied. Leave COMMIT and ROLLBACK out of migrations`,
    'DB_MIGRATION_FAILED'
  )
}

function failedAt (place: string, { tag }: MigrationFile, cause: unknown): MigrationError {
  return new MigrationError(
    `${tag}.sql failed at ${place} and was rolled back as a whole; the files before it stay applied. The cause says what PostgreSQL did not like`,
    'DB_MIGRATION_FAILED', { cause, context: { ...toDatabaseError(cause).context, operation: 'migrate' } }
  )
}
