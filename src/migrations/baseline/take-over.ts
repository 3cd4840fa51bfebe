import { PgTable } from 'drizzle-orm/pg-core'
import { isEntity } from '../../drizzle/entity.js'
import { MigrationError } from '../../errors/errors.js'
import { findJournal } from '../folder/journal.js'
import { findMigrationFolders } from '../folder/migration-folders.js'
import { readMigrations } from '../folder/migration-files.js'
import { diffStatements, sqlText } from '../generate/changes/diff-statements.js'
import { installedKit } from '../generate/installed-kit.js'
import { AppliedTable } from '../history/applied-table.js'
import { asDatabaseError } from '../history/as-database-error.js'
import { inTransaction } from '../history/in-transaction.js'
import { withClient } from '../history/migration-client.js'
import { tableOf } from '../history/schema-place.js'
import { withMigrationLock } from '../runner/runner-lock.js'
import { readCatalog } from './catalog.js'
import { differencesOf } from './differences.js'
import { firstStatements } from './first-statements.js'
import { readKeptObjects } from './kept-objects.js'
import type { Client } from 'pg'
import type { MigrationOptions } from '../history/migration-options.js'
import type { ModelOptions } from '../generate/compare-model.js'
import type { Catalog } from './catalog.js'
import type { KeptObject } from './kept-objects.js'

/** The database and the folder that is to begin with it. */
export type TakeOverOptions = MigrationOptions & { readonly folder: string }

/** A database that can be taken over. */
export interface Description {
  readonly catalog: Catalog
  /** What a schema file of Drizzle cannot describe. */
  readonly kept: readonly KeptObject[]
}

/**
 * Describes a database that has no migrations yet. It reads the catalog, in one snapshot, and changes nothing.
 *
 * @throws {MigrationError} `DB_MIGRATION_FAILED` if the folder has migrations, if the database has applied some, or if it has no tables
 */
export async function describeDatabase (options: TakeOverOptions): Promise<Description> {
  await refuseMigrations(options.folder)
  return await withClient(options, (client) => asDatabaseError(describe(client, options)))
}

/** The transaction ends with its connection. Without a search path, PostgreSQL writes every name with its schema. */
async function describe (client: Client, options: TakeOverOptions): Promise<Description> {
  await client.query("begin isolation level repeatable read read only; set local search_path = ''")
  await refuseApplied(client, options)
  const catalog = await readCatalog(client, tableOf(options))
  if (!catalog.tables.some(({ kind }) => kind === 'table')) throw refusal('The database has no tables: write them as code, and begin with data-access migrate create')
  return { catalog, kept: await readKeptObjects(client, tableOf(options)) }
}

/**
 * Writes the first migration of a database that was described, and notes it as applied. It does not run: nothing changes in the
 * database but the table of applied migrations.
 *
 * @throws {MigrationError} `DB_MIGRATION_FAILED` if the schema differs from the database, or as {@link describeDatabase};
 *   `DB_MIGRATION_LOCKED` if another process runs or writes migrations for too long
 */
export async function takeOver (options: TakeOverOptions, { catalog, kept }: Description, { schema = {}, casing }: ModelOptions): Promise<string> {
  const { folder } = options
  const kit = installedKit()
  const source = await kit.open(folder)
  if (!Object.values(schema).some((exported) => isEntity(exported, PgTable))) throw refusal('The schema file exports no tables')
  // A table is something new in a folder without migrations.
  const draft = (await source.draft({ model: { schema, casing, renames: [] }, words: 'baseline', breakpoints: true }))!
  const differences = differencesOf(draft.after, catalog)
  if (differences.length > 0) throw refusal(`The schema file differs from the database: ${differences.join('; ')}. Correct the file, or move it away and let baseline write it`)
  const generated = await diffStatements(kit, { before: source.newest, after: draft.after, renames: [] })
  await withMigrationLock(options, ({ work }) => asDatabaseError(inTransaction(work, async () => {
    await refuseApplied(work, options)
    const applied = new AppliedTable(work, tableOf(options))
    await applied.create(kit.layout, true)
    await draft.write({ up: sqlText(firstStatements(generated, catalog, kept)), down: wayBack })
    const { files: [file] } = await readMigrations(folder)
    await applied.insert(file!)
  })))
  return draft.tag
}

const wayBack = `-- data-access: irreversible the database was there before its migrations: the way back would drop all of it
-- Write no statement here. A database that was made by these migrations, as one for tests is, can be dropped itself.
`

async function refuseMigrations (folder: string): Promise<void> {
  const journal = await findJournal(folder)
  const [tag] = [...journal?.entries.map(({ tag }) => tag) ?? [], ...await findMigrationFolders(folder)]
  if (tag !== undefined) throw refusal(`${folder} has migrations already, such as ${tag}: a baseline is the first one. Give another folder, or move them away`)
}

async function refuseApplied (client: Client, options: TakeOverOptions): Promise<void> {
  const [row] = await new AppliedTable(client, tableOf(options)).read()
  if (row !== undefined) throw refusal('The database has applied migrations already: a baseline is the first one. Restore their folder, or give another table')
}

function refusal (message: string): MigrationError {
  return new MigrationError(message, 'DB_MIGRATION_FAILED')
}
