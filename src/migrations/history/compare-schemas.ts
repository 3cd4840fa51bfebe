import { compareFiles, type Comparison } from './compare.js'
import { inTransaction } from './in-transaction.js'
import { withClient } from './migration-client.js'
import { findSchemas, tableOf, type SchemaOptions } from './schema-place.js'
import { asDatabaseError } from './as-database-error.js'
import { readMigrations, type MigrationFolder } from '../folder/migration-files.js'
import type { MigrationOptions } from './migration-options.js'

/** A folder compared with each of several schemas. */
export interface SchemaComparisons {
  readonly folder: MigrationFolder & { readonly folder: string }
  /** By the names of the schemas, in order. */
  readonly schemas: ReadonlyArray<{ readonly schema: string, readonly comparison: Comparison }>
}

/** Compares a folder with the table of each schema, over one connection. It changes nothing. */
export async function compareSchemas (options: MigrationOptions & SchemaOptions): Promise<SchemaComparisons> {
  const { folder = './drizzle', searchPath = [] } = options
  const files = await readMigrations(folder)
  const schemas = await withClient(options, async (client) => {
    const compared = []
    for (const schema of await findSchemas(client, options)) {
      const table = tableOf({ ...options, place: { schema, searchPath } })
      compared.push({ schema, comparison: await asDatabaseError(inTransaction(client, () => compareFiles(client, files, { folder, table }))) })
    }
    return compared
  })
  return { folder: { ...files, folder }, schemas }
}
