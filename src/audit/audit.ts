import type { PgTable } from 'drizzle-orm/pg-core'
import { checkCall } from '../errors/check-call.js'
import { UsageError } from '../errors/errors.js'
import { castTypeOf } from '../drizzle/column-types.js'
import { tableNameOf } from '../drizzle/table-name.js'
import { columnsOf } from '../model/table.js'
import { isText, object, ownSetting, text } from '../runtime/option-checks.js'
import { historyTable } from './history-table.js'
import type { HistoryTable } from '../drizzle/types/history-table.js'
import type { OptionCheck, OptionChecks } from '../runtime/option-checks.js'

/** The settings of PostgreSQL that the trigger reads. Each name has a dot in it. */
export interface AuditSettings {
  /** Who makes the change. @defaultValue `'app.actor'` */
  readonly actor?: string | undefined
  /** The id of the request. @defaultValue `'app.request_id'` */
  readonly requestId?: string | undefined
  /** Why the change is made. @defaultValue `'app.reason'` */
  readonly reason?: string | undefined
  /** The tenant, for the option `tenant`. @defaultValue `'app.tenant_id'` */
  readonly tenant?: string | undefined
}

/** The options of {@link audit}. `Column` is the name of a column in the table. */
export interface AuditOptions<Column extends string = string> {
  /**
   * Columns whose values the history never holds, neither old nor new. It only tells that they changed.
   * @defaultValue none
   */
  readonly mask?: readonly Column[] | undefined
  /**
   * Columns that make no entry: an update that changes nothing else is not recorded. An entry that is made for another column has
   * their values, too.
   * @defaultValue none
   */
  readonly ignore?: readonly Column[] | undefined
  /**
   * The column of the tenant. Row-level security shows each tenant only the entries of its own rows. The columns have a type that
   * the setting's text can be cast to.
   * @defaultValue none: who may read the history table sees all of it
   */
  readonly tenant?: Column | undefined
  /** The name of the history table, at most 56 bytes long. @defaultValue the name of the table followed by `_history` */
  readonly name?: string | undefined
  /** The settings that say who makes a change and why. */
  readonly settings?: AuditSettings | undefined
}

/** A table, its history, and what the history leaves out. Columns are TypeScript names. */
export interface Audit {
  readonly table: PgTable
  readonly history: HistoryTable
  readonly mask: readonly string[]
  readonly ignore: readonly string[]
  readonly tenant: string | undefined
  readonly settings: Required<{ readonly [Name in keyof AuditSettings]: string }>
}

/** A registered symbol, so that a schema built by another copy of this package works. */
const key = Symbol.for('fastify-data-access:audit')

/**
 * Records every change of a table's rows, whatever makes it: a trigger writes an entry to the history table in the transaction of
 * the change. Export the returned history table from your schema, beside the table: `data-access migrate create` then writes the
 * history table, the trigger, and their way back into the next migration. `repo.history(id)` reads the entries of a row.
 *
 * @throws {UsageError} for anything that is not a table, an unknown option, an unknown column, a name that is too long, an invalid
 * setting, and a table that has an audit already
 * @example
 * ```ts
 * const users = pgTable('users', { id: integer().primaryKey(), name: text().notNull(), passwordHash: text(), seenAt: timestamp() })
 * const usersHistory = audit(users, { mask: ['passwordHash'], ignore: ['seenAt'] })
 * ```
 */
export function audit<T extends PgTable> (table: T, options: AuditOptions<keyof T['_']['columns'] & string> = {}): HistoryTable {
  const columns = columnsOf(table)
  checkCall('audit()', options, optionChecks)
  const own = tableNameOf(table)
  const { mask = [], ignore = [], tenant, name = `${own.name}_history`, settings = {} } = options
  checkCall('audit({ settings })', settings, settingChecks)
  const unknown = [...mask, ...ignore, ...tenant === undefined ? [] : [tenant]].find((column) => !Object.hasOwn(columns, column))
  if (unknown !== undefined) throw new UsageError(`Table "${own.name}" has no column "${unknown.slice(0, 63)}" for audit()`)
  if (tenant !== undefined && mask.includes(tenant)) throw new UsageError(`The column "${tenant}" names the tenant of an entry, so audit() cannot mask it`)
  if (Buffer.byteLength(name) > longestName) {
    throw new UsageError(`The name of a history table has at most ${longestName} bytes: give audit() a shorter "name"`, { context: { table: own.name } })
  }
  if (auditOf(table) !== undefined) {
    throw new UsageError(`Table "${own.name}" has an audit already: call audit() once for each table`, { context: { table: own.name } })
  }
  const names = { actor: 'app.actor', requestId: 'app.request_id', reason: 'app.reason', tenant: 'app.tenant_id', ...given(settings) }
  const column = tenant === undefined ? undefined : columns[tenant]
  const history = historyTable({ schema: own.schema, name, tenant: column && { setting: names.tenant, type: castTypeOf(column) } })
  const made: Audit = { table, history, mask, ignore, tenant, settings: names }
  for (const marked of [table, history]) Object.defineProperty(marked, key, { value: made })
  return history
}

/** The audit of a table, or of a history table; undefined for any other table. */
export function auditOf (table: PgTable): Audit | undefined {
  return Reflect.get(table, key) as Audit | undefined
}

/** PostgreSQL's names have 63 bytes; those of the functions are longer by `_record`. */
const longestName = 56

function given (settings: AuditSettings): Partial<Audit['settings']> {
  return Object.fromEntries(Object.entries(settings).filter(([, name]) => name !== undefined))
}

const columnNames: OptionCheck = [(value) => Array.isArray(value) && value.every(isText), 'must be an array of the names of columns']
const settingChecks: OptionChecks<AuditSettings> = { actor: ownSetting, requestId: ownSetting, reason: ownSetting, tenant: ownSetting }
const optionChecks: OptionChecks<AuditOptions> = { mask: columnNames, ignore: columnNames, tenant: text, name: text, settings: object }
