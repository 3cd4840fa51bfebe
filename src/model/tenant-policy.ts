import { getTableColumns, sql } from 'drizzle-orm'
import { PgRole, PgTable, pgPolicy } from 'drizzle-orm/pg-core'
import type { SQL } from 'drizzle-orm'
import type { ExtraConfigColumn, PgPolicy, PgPolicyToOption } from 'drizzle-orm/pg-core'
import { checkCall } from '../errors/check-call.js'
import { UsageError } from '../errors/errors.js'
import { isEntity } from '../drizzle/entity.js'
import { castTypeOf } from '../drizzle/column-types.js'
import { isText, ownSetting, text } from '../runtime/option-checks.js'
import type { OptionChecks } from '../runtime/option-checks.js'

/** The options of {@link tenantPolicy}. */
export interface TenantPolicyOptions {
  /**
   * The setting that names the tenant, with a dot in its name.
   * @defaultValue `'app.tenant_id'`
   */
  readonly setting?: string | undefined
  /**
   * The role that the policy is for, as in Drizzle's `pgPolicy({ to })`. A role that no policy is for sees no rows.
   * @defaultValue `'public'`: every role
   */
  readonly role?: PgPolicyToOption | undefined
  /**
   * The name of the policy, unique in its table.
   * @defaultValue `'tenant_isolation'`
   */
  readonly name?: string | undefined
}

type TenantColumn = Partial<ExtraConfigColumn>

const checks: OptionChecks<TenantPolicyOptions> = {
  setting: ownSetting,
  role: [(value) => [value].flat().length > 0 && [value].flat().every((role) => isText(role) || isEntity(role, PgRole)), "must be a role's name, a pgRole(), or an array of them"],
  name: text
}

/** The types that a tenant's column may be cast to. */
const tenantTypes: ReadonlySet<string> = new Set(['smallint', 'integer', 'bigint', 'numeric', 'uuid', 'text', 'bpchar'])

/**
 * A row-level-security policy for a table whose rows belong to tenants: a statement reads and writes only rows whose column equals
 * the tenant of its transaction, which the setting names. Without a setting no row is visible and none can be written.
 *
 * drizzle-kit writes the policy and `ENABLE ROW LEVEL SECURITY` into the next migration. Superusers, roles with BYPASSRLS and the
 * owner of the table bypass policies, so the server connects as another role. Give the table an index that begins with the column.
 *
 * @throws {UsageError} when the table is first used, if the argument is not a column of it, or the column has a type that no tenant
 * has; for an unknown option or an invalid setting
 * @example
 * ```ts
 * const notes = pgTable('notes', { id: integer().primaryKey(), tenantId: integer().notNull(), text: text() },
 *   (table) => [tenantPolicy(table.tenantId), index().on(table.tenantId)])
 * ```
 */
export function tenantPolicy (column: TenantColumn, options: TenantPolicyOptions = {}): PgPolicy {
  checkCall('tenantPolicy()', options, checks)
  const { setting = 'app.tenant_id', role = 'public', name = 'tenant_isolation' } = options
  const isOwn = sql`${column} = ${settingAs(setting, tenantTypeOf(column))}`
  return pgPolicy(name, { for: 'all', to: role, using: isOwn, withCheck: isOwn })
}

/**
 * The value of a setting in a policy, as this type; NULL without one. After a transaction that has set it, PostgreSQL shows the setting
 * as an empty text, which must not be cast.
 */
export function settingAs (setting: string, type: string): SQL {
  return sql`nullif(current_setting('${sql.raw(setting)}', true), '')::${sql.raw(type)}`
}

/** The column of the extra configuration does not know its type, so the column of the table is asked. */
function tenantTypeOf (given: unknown): string {
  const { table, name } = Object(given) as { table?: unknown, name?: unknown }
  const column = isEntity(table, PgTable) ? Object.values(getTableColumns(table)).find((candidate) => candidate.name === name) : undefined
  if (column === undefined) throw new UsageError('tenantPolicy() takes a column of the table that is being made: (table) => [tenantPolicy(table.tenantId)]')
  const type = castTypeOf(column)
  if (!tenantTypes.has(type)) throw new UsageError('tenantPolicy() takes a column of numbers, texts or UUIDs: for another type write the policy with pgPolicy()')
  return type
}
