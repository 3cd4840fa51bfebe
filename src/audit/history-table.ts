import { sql } from 'drizzle-orm'
import { bigint, index, jsonb, pgPolicy, text, timestamp } from 'drizzle-orm/pg-core'
import type { SQL } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import { settingAs } from '../model/tenant-policy.js'
import { tableIn } from '../drizzle/table-name.js'
import type { HistoryOperation, HistoryTable, HistoryTexts } from '../drizzle/types/history-table.js'

/** Where a history table is, and who may read which entries. */
export interface HistoryDescription {
  readonly schema: string | undefined
  readonly name: string
  /** The setting that names the tenant and its type; undefined if every reader sees all entries. */
  readonly tenant: { readonly setting: string, readonly type: string } | undefined
}

/**
 * Makes the table of Drizzle for a history. Its columns have names of their own, so `casing` does not change them.
 *
 * Row-level security is on, with a policy for reading only: a role that does not own the table cannot write entries, even if it was
 * granted every right on every table. The trigger writes as the owner, to whom policies do not apply.
 */
export function historyTable (description: HistoryDescription): HistoryTable
// The types of Drizzle 0.45 hold the names of columns in the database, which HistoryTable leaves open.
export function historyTable ({ schema, name, tenant }: HistoryDescription): PgTable {
  return tableIn(schema)(name, {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    at: timestamp('at', { withTimezone: true, precision: 3, mode: 'date' }).notNull(),
    operation: text('operation').$type<HistoryOperation>().notNull(),
    key: jsonb('key').$type<Record<string, string>>().notNull(),
    changed: jsonb('changed').$type<string[]>().notNull(),
    before: jsonb('before').$type<HistoryTexts>(),
    after: jsonb('after').$type<HistoryTexts>(),
    actor: text('actor'),
    requestId: text('request_id'),
    reason: text('reason'),
    databaseUser: text('database_user').notNull(),
    transactionId: text('transaction_id').notNull(),
    tenant: text('tenant')
  }, (self) => [
    index(`${name}_by_key`).on(self.key, self.id),
    pgPolicy('history_readers', { for: 'select', to: 'public', using: tenant === undefined ? sql`true` : isOwn(self.tenant, tenant) })
  ])
}

/** Both texts are read as the type of the tenant's column, so that another spelling of the same value is the same tenant. */
function isOwn (column: unknown, { setting, type }: { setting: string, type: string }): SQL {
  return sql`${column}::${sql.raw(type)} = ${settingAs(setting, type)}`
}
