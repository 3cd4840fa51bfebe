import { SettingsError } from '../errors/settings-error.js'
import { resolveContext } from '../settings/transaction-context.js'
import { askPool } from './ask-pool.js'
import type { ConnectionPool } from '../pool/connection-pool.js'
import type { TransactionOptions } from '../settings/transaction-options.js'
import type { Settings } from '../settings/settings.js'
import type { Caller } from '../statement/caller.js'

/** Asks whether the database user bypasses policies; rejects if it does, and no context can have a role. */
export type PolicyCheck = (pool: ConnectionPool) => Promise<boolean>

/**
 * Tables whose policies do not hold for the database user: a superuser, a user with BYPASSRLS, and the owner of a table without FORCE.
 * A table without a policy is closed to all others, and protects no tenant: graphile-worker has such tables.
 * https://www.postgresql.org/docs/current/ddl-rowsecurity.html
 */
const question = `select string_agg(name, ', ') as tables from (
    select oid::regclass::text as name from pg_class, (select rolsuper or rolbypassrls as bypasses from pg_roles where rolname = current_user) as login
    where relrowsecurity and exists (select from pg_policy where polrelid = pg_class.oid)
      and (bypasses or (not relforcerowsecurity and pg_has_role(relowner, 'USAGE')))
    order by name limit 3
  ) as bypassed`

const answerMillis = 10_000

/** The check for a database with these options; undefined without `contextRequired`. */
export function policyCheckOf (transaction: TransactionOptions, { hasContextFunction, settings, caller }: { hasContextFunction: boolean, settings: Settings, caller: Caller }): PolicyCheck | undefined {
  if (transaction.contextRequired !== true) return undefined
  if (settings.degraded) throw new SettingsError('transaction.contextRequired', 'cannot be combined with degraded: whether policies hold for the database user is checked at the start')
  const mayHaveRole = hasContextFunction || (transaction.context !== undefined && resolveContext(transaction.context).hasRole)
  return async (pool) => {
    const { tables } = await askPool<{ tables: string | null }>(pool, { question, caller, timeoutMillis: answerMillis })
    if (tables === null) return false
    if (mayHaveRole) return true
    throw new SettingsError('transaction.contextRequired', `protects nothing: policies do not hold for the database user, who is a superuser, has BYPASSRLS, or owns the table without FORCE (${tables}). Log in as another user, or give the context a role`)
  }
}
