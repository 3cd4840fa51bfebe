import { escapeIdentifier } from 'pg'
import { casedName } from '../drizzle/casing.js'
import { tableNameOf } from '../drizzle/table-name.js'
import { columnsOf, describeTable } from '../model/table.js'
import { checkCall } from '../errors/check-call.js'
import { UsageError } from '../errors/errors.js'
import { oneOf } from '../runtime/option-checks.js'
import { auditOf } from './audit.js'
import { dollarQuoted, literal, qualified } from './sql-names.js'
import { auditedTable, createKeyFunction, createRecordFunction, historySchema, keyFunction, recordFunction } from './trigger-functions.js'
import type { Casing } from '../drizzle/casing.js'
import type { HistoryTable } from '../drizzle/types/history-table.js'
import type { Audit } from './audit.js'
import type { AuditNames } from './trigger-functions.js'
import type { AuditIdentity } from './sql-names.js'

/** The first trigger by name, so that an entry comes before those of what later triggers of the table do. */
const rowTrigger = '!audit'
const truncateTrigger = '!audit_truncate'

/**
 * The names of an audit in the database.
 *
 * @throws {UsageError} if a masked column is part of the primary key, which every entry holds
 */
export function auditNames ({ table, history, mask, ignore, tenant, settings }: Audit, casing: Casing | undefined): AuditNames {
  const { columns, primaryKey, name } = describeTable(table)
  const masked = primaryKey.find((key) => mask.includes(key))
  if (masked !== undefined) throw new UsageError(`The primary key of "${name}" is in every entry of its history, so audit() cannot mask "${masked}"`)
  const named = (keys: readonly string[]): string[] => keys.map((key) => casedName(columns[key]!, casing)) // audit() has checked the keys
  return {
    table: tableNameOf(table),
    history: tableNameOf(history),
    key: named(primaryKey),
    mask: named(mask),
    ignore: named(ignore),
    tenant: tenant === undefined ? undefined : named([tenant])[0],
    settings
  }
}

/** The options of {@link auditSql}. */
export interface AuditSqlOptions {
  /** The casing of names, as in `drizzle()` of Drizzle 0.45. */
  readonly casing?: Casing | undefined
}

/**
 * The SQL of the functions and triggers of an audit, and its way back. `data-access migrate create` writes it by itself; take it for
 * migrations that another tool writes, behind the statements that create the table and its history.
 *
 * @throws {UsageError} for anything but a table that `audit()` has returned, an unknown option, and a masked primary key
 * @example
 * ```ts
 * const { up, down } = auditSql(usersHistory)
 * ```
 */
export function auditSql (history: HistoryTable, options: AuditSqlOptions = {}): { readonly up: string, readonly down: string } {
  columnsOf(history)
  checkCall('auditSql()', options, { casing: oneOf('snake_case', 'camelCase') })
  const audit = auditOf(history)
  if (audit?.history !== history) throw new UsageError('auditSql() takes the table that audit() returns')
  const names = auditNames(audit, options.casing)
  return { up: createAudit(names).join('\n'), down: dropAudit(names).join('\n') }
}

/**
 * The statements that create the functions and triggers of an audit, each with its mark. The table and its history exist already.
 *
 * The functions have fixed search paths, so they name the schema of the history. A table that is declared without a schema is where
 * the search path of the migration finds it, which may differ between tenants: PostgreSQL puts the name in.
 * Nobody but the owner may execute the trigger function: with a table of their own under it they could write entries. A trigger
 * that fires needs no such right. TRUNCATE of a partition fires no trigger of its parent, so each partition gets its own.
 */
export function createAudit (names: AuditNames): string[] {
  const [table, history, record] = [qualified(names.table), qualified(names.history), `${qualified(recordFunction(names.history))}()`]
  const [ownRecord, ownKey] = [recordFunction(names.history), keyFunction(names.history)].map(({ name }) => `${historySchema}.${escapeIdentifier(name)}`)
  const functions = `
${createRecordFunction(names)};
revoke all on function ${ownRecord}() from public;
${createKeyFunction(names)};
grant execute on function ${ownKey}(text[]) to public;
`
  return [
    `do ${dollarQuoted(`
declare
  functions constant text := ${dollarQuoted(functions)};
begin
  execute replace(replace(functions, '${historySchema}', ${schemaOf(history)}), '${auditedTable}', ${schemaOf(table)} || ${literal(`.${escapeIdentifier(names.table.name)}`)});
end
`)}`,
    `create trigger ${escapeIdentifier(rowTrigger)} after insert or update or delete on ${table} for each row execute function ${record}`,
    `do ${dollarQuoted(`
declare
  relation regclass;
begin
  for relation in select ${literal(table)}::regclass union select relid from pg_partition_tree(${literal(table)}) loop
    execute format(${literal(`create trigger ${escapeIdentifier(truncateTrigger)} before truncate on %s for each statement execute function ${record.replaceAll('%', '%%')}`)}, relation);
  end loop;
end
`)}`
  ].map((statement) => `${markOf('audit', names)}\n${statement};`)
}

/** An expression for the schema of a table. */
function schemaOf (table: string): string {
  return `(select quote_ident(nspname) from pg_class join pg_namespace on pg_namespace.oid = relnamespace where pg_class.oid = ${literal(table)}::regclass)`
}

/** The statements that drop what {@link createAudit} creates. The triggers go with their function, those of partitions included. */
export function dropAudit (audit: AuditIdentity): string[] {
  return [
    `drop function ${qualified(recordFunction(audit.history))}() cascade`,
    `drop function ${qualified(keyFunction(audit.history))}(text[])`
  ].map((statement) => `${markOf('end of audit', audit)}\n${statement};`)
}

/** Identifies an audit: the names of its table and its history, as JSON. */
export function identityOf ({ table, history }: AuditIdentity): string {
  return JSON.stringify([table.schema ?? null, table.name, history.schema ?? null, history.name])
}

/** An audit that a statement belongs to, and whether the statement drops it; undefined for any other statement. */
export function readMark (statement: string): AuditIdentity & { readonly ends: boolean } | undefined {
  const [, end, names] = /^-- (end of )?audit (\[.*\])$/m.exec(statement.trimStart().split('\n', 1)[0] as string) ?? []
  if (names === undefined) return undefined
  const [tableSchema, table, historySchema, history] = JSON.parse(names) as [string | null, string, string | null, string]
  return {
    table: { schema: tableSchema ?? undefined, name: table },
    history: { schema: historySchema ?? undefined, name: history },
    ends: end !== undefined
  }
}

/** The first line of a statement. `migrate create` finds by it what a folder already has. */
function markOf (words: string, audit: AuditIdentity): string {
  return `-- ${words} ${identityOf(audit)}`
}
