import { escapeIdentifier } from 'pg'
import { MigrationError } from '../../errors/errors.js'
import { sqlStates } from '../../errors/sqlstate-codes.js'
import { toDatabaseError } from '../../errors/to-database-error.js'
import { quoted } from '../blocking/statements/full-name.js'
import { asDatabaseError } from '../history/as-database-error.js'
import { inTransaction } from '../history/in-transaction.js'
import { defaultStatementLockTimeoutSeconds, lockTimeoutOf } from '../history/option-limits.js'
import { searchPathOf, type Placed } from '../history/schema-place.js'
import { droppedObjects, type DroppedObject } from './dropped-objects.js'
import type { Client } from 'pg'
import type { RunnerOptions } from '../history/migration-options.js'
import type { MigrationStep } from '../history/step.js'

/** Rows of a table, or values of a column, that a rollback drops. */
export interface DroppedRows {
  /** The file that drops them. */
  readonly file: string
  /** The table, as SQL names it. */
  readonly table: string
  /** The column, if only its values are dropped. */
  readonly column?: string
  /** How many; undefined if the role cannot see all of them, because of row-level security or a missing privilege. */
  readonly rows: number | undefined
}

/** A table that exists, and what is dropped of it. */
interface FoundTable {
  readonly step: MigrationStep
  readonly table: string
  /** Undefined if the whole table is dropped. */
  readonly column: string | undefined
}

/** How a rollback counts. */
interface CountOptions extends RunnerOptions, Placed {
  /** Runs the count of one table for a step, and may repeat it. */
  readonly attempt?: <Result>(step: MigrationStep, count: () => Promise<Result>) => Promise<Result>
}

/**
 * Counts what a rollback would drop: rows of tables, and values of columns that are not NULL. What has no rows is left out. A count waits for a table that
 * another session locks as long as a statement of the files would.
 */
export async function countDroppedRows (client: Client, steps: readonly MigrationStep[], options: CountOptions): Promise<DroppedRows[]> {
  const { attempt = (_step, run) => run() } = options
  const counted = []
  for (const dropped of droppedObjects(steps)) {
    const found = await withPlace(client, options, () => find(client, dropped))
    for (const table of found) counted.push(await attempt(table.step, () => count(client, table, options)))
  }
  // A table that is dropped loses the values of its columns with its rows.
  const whole = new Set(counted.flatMap(({ table, column }) => column === undefined ? [table] : []))
  return counted.filter(({ table, column, rows }) => rows !== 0 && (column === undefined || !whole.has(table)))
}

/**
 * Refuses a rollback that loses something, unless that is confirmed.
 *
 * @throws {MigrationError} `DB_MIGRATION_IRREVERSIBLE`
 */
export function refuseLosses (steps: readonly MigrationStep[], dropped: readonly DroppedRows[], { confirmIrreversible = false }: { readonly confirmIrreversible?: boolean | undefined }): void {
  if (confirmIrreversible) return
  const losses = [
    ...steps.flatMap(({ file, text: { irreversible } }) => irreversible.map((reason) => `${file} cannot restore ${reason}`)),
    ...dropped.map((rows) => `${rows.file} would drop ${describeDropped(rows)}`)
  ]
  if (losses.length === 0) return
  throw new MigrationError(`${losses.join('; ')}: restore a backup instead, or pass confirmIrreversible to roll back anyway (for the command: --confirm-irreversible)`, 'DB_MIGRATION_IRREVERSIBLE')
}

/** 3 rows of users, 1 value of users.age */
export function describeDropped ({ table, column, rows }: DroppedRows): string {
  const [one, many, name] = column === undefined ? ['row', 'rows', table] : ['value', 'values', `${table}.${column}`]
  if (rows === undefined) return `${many} of ${name}, which this role cannot count`
  return `${rows} ${rows === 1 ? one : many} of ${name}`
}

/** The tables that exist, and the columns with values of their own. */
async function find (client: Client, { step, kind, name, column, without = [] }: DroppedObject): Promise<FoundTable[]> {
  if (kind === 'schema') {
    const { rows } = await client.query<{ table: string }>(
      `select oid::regclass::text as table from pg_class
        where relnamespace = to_regnamespace($1) and relkind in ('r', 'p') and not relispartition and not exists (select from unnest($2::text[]) as name where to_regclass(name) = oid)`,
      [quoted(name), without.map(quoted)]
    )
    return rows.map(({ table }) => ({ step, table, column: undefined }))
  }
  const { rows } = await client.query(
    `select 1 from pg_class c where oid = to_regclass($1) and relkind in ('r', 'p')
      and ($2::text is null or exists (select from pg_attribute where attrelid = c.oid and attname = $2 and not attisdropped and attgenerated = ''))`,
    [quoted(name), column]
  )
  return rows.map(() => ({ step, table: name, column }))
}

async function count (client: Client, { step: { file }, table, column }: FoundTable, options: RunnerOptions & Placed): Promise<DroppedRows> {
  const counted = column === undefined ? '*' : escapeIdentifier(column)
  const dropped = { file, table, ...column !== undefined && { column } }
  try {
    const { rows: [row] } = await withPlace(client, options, () => client.query<{ rows: string }>(`select count(${counted}) as rows from ${quoted(table)}`))
    return { ...dropped, rows: Number(row?.rows) }
  } catch (error) {
    const { context } = toDatabaseError(error)
    if (context.sqlState === sqlStates.insufficientPrivilege) return { ...dropped, rows: undefined }
    if (context.sqlState !== sqlStates.lockNotAvailable) throw error
    throw new MigrationError(
      `${file} changes ${table}, whose rows cannot be counted while another session locks it: wait for that session or end it`,
      'DB_MIGRATION_LOCKED', { cause: error, context }
    )
  }
}

/** Runs a query as the files would find their tables. A policy that hides rows is an error then. */
async function withPlace<Result> (client: Client, { place, statementLockTimeoutSeconds = defaultStatementLockTimeoutSeconds }: RunnerOptions & Placed, fn: () => Promise<Result>): Promise<Result> {
  return await asDatabaseError(inTransaction(client, async () => {
    await client.query(`set local row_security = off; set local lock_timeout = '${lockTimeoutOf(statementLockTimeoutSeconds)}'${place === undefined ? '' : `; select set_config('search_path', ${searchPathOf(place)}, true)`}`)
    return await fn()
  }))
}
