import { sql } from 'drizzle-orm'
import { createMigration, runMigrations } from '../../../src/migrations/index.js'
import { createTestDatabase } from '../../../src/testing/index.js'
import { snakeCase } from '../../helpers/drizzle.js'
import type { Database } from '../../../src/index.js'
import type { Test } from 'tap'

interface Opened {
  readonly database: Database
  readonly connectionString: string
  readonly folder: string
}

/** A new database with the tables of a schema and their audits, made by a migration as a program makes it. */
export async function openAudited (t: Test, schema: Record<string, unknown>, before?: string): Promise<Opened> {
  const { database, connectionString } = await createTestDatabase(t, { ...snakeCase, ...before !== undefined && { sql: before } })
  const folder = t.testdir({})
  await createMigration({ message: 'start', schema, folder, ...snakeCase })
  await runMigrations({ connectionString, folder })
  return { database, connectionString, folder }
}

/** Runs SQL without parameters. */
export async function run (database: Pick<Database, 'execute'>, text: string): Promise<void> {
  await database.execute(sql.raw(text))
}

type Texts = Record<string, string | null>

/** Where a history is, and the columns that are compared. */
interface Audited {
  readonly table: string
  readonly history: string
  readonly columns: readonly string[]
}

interface Entry { readonly operation: string, readonly key: Texts, readonly before: Texts | null, readonly after: Texts | null }

/** The differences between the rows of a table and what its history says they are. Texts are those of the columns given in SQL. */
export async function replay (database: Database, { table, history, columns }: Audited): Promise<string[]> {
  const entries = await database.execute<Entry>(sql.raw(`select operation, key, before, after from ${history} order by id`))
  const told = new Map<string, Texts>()
  for (const { operation, key, before, after } of entries.rows) {
    const [name, row] = [JSON.stringify(key), told.get(JSON.stringify(key))]
    const stale = Object.entries(before ?? {}).filter(([column, text]) => columns.includes(column) && row?.[column] !== text)
    if (stale.length > 0 || (operation === 'insert') !== (row === undefined)) {
      return [`${operation} of ${name} after ${JSON.stringify(row)}: ${JSON.stringify(before)}`]
    }
    if (after === null) told.delete(name)
    else told.set(name, { ...row, ...after })
  }
  const texts = columns.map((column) => `'${column}', ${column}::text`).join(', ')
  const { rows } = await database.execute<{ row: Texts }>(sql.raw(`set local timezone = 'UTC'; select jsonb_build_object(${texts}) as row from ${table}`))
  const shown = (found: readonly Texts[]) => found.map((row) => JSON.stringify(columns.map((column) => row[column]))).sort().join('\n')
  const [real, said] = [shown(rows.map(({ row }) => row)), shown([...told.values()])]
  return real === said ? [] : [`the rows are ${real}, and the history says ${said}`]
}
