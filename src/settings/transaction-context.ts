import { escapeIdentifier } from 'pg'
import { UsageError } from '../errors/errors.js'
import { isOptions, isOwnSetting, isText, notAnOption } from '../runtime/option-checks.js'

/**
 * What a database knows about the work that it does: for whom it is, and as whom. It leads every statement of a session and holds
 * until the end of its transaction, so nothing of it stays on the connection. All of it are parameters.
 *
 * @example
 * ```ts
 * const context: TransactionContext = { settings: { 'app.tenant_id': '42' }, role: 'app_user' }
 * const rows = await database.session((session) => session.repo(users).filter(), { context })
 * ```
 */
export interface TransactionContext {
  /** Settings of the program's own, which policies and triggers read by `current_setting('app.tenant_id', true)`. Their names have a dot. */
  readonly settings?: Readonly<Record<string, string | number | boolean>> | undefined
  /** The role that runs the statements. The database user must be a member of it. */
  readonly role?: string | undefined
  /** The schemas in which PostgreSQL looks for a table without a schema, in this order. */
  readonly searchPath?: readonly string[] | undefined
}

/** A {@link TransactionContext}, checked: the settings of PostgreSQL that it is made of. */
export interface ResolvedContext {
  /** Names and values in turn. The role is the last: it may lack the right to go on. */
  readonly pairs: readonly string[]
  readonly searchPath: string | undefined
  readonly hasRole: boolean
}

/** Called when the first statement of a session needs its context. */
export type ContextSource = () => ResolvedContext | undefined

const options = ['settings', 'role', 'searchPath']

const wayOut = 'A context is an object of settings, role and searchPath'

/**
 * Checks a context.
 *
 * @throws {UsageError} for anything that is not a context, with the part that cannot be used; never with a value
 */
export function resolveContext (given: unknown): ResolvedContext {
  if (given instanceof Promise) throw new UsageError(`${wayOut}, not a promise: read what it needs before, for example in a preHandler hook`)
  if (!isOptions(given)) throw new UsageError(wayOut)
  const unknown = Object.keys(given).find((name) => !options.includes(name))
  if (unknown !== undefined) throw new UsageError(`context.${unknown.slice(0, 63)} ${notAnOption(options)}`)
  const { settings = {}, role, searchPath } = given
  if (!isOptions(settings)) throw new UsageError("context.settings must be an object of names and values: { 'app.tenant_id': '42' }")
  const pairs = Object.entries(settings).flatMap(([name, value]) => [nameOf(name), textOf(name, value)])
  const path = searchPath === undefined ? undefined : pathOf(searchPath)
  if (path !== undefined) pairs.push('search_path', path)
  if (role !== undefined) pairs.push('role', roleOf(role))
  if (pairs.length === 0) throw new UsageError('A context must hold something: settings, a role or a searchPath')
  return { pairs, searchPath: path, hasRole: role !== undefined }
}

function nameOf (name: string): string {
  if (isOwnSetting(name)) return name
  throw new UsageError(`context.settings takes names with a dot, such as 'app.tenant_id', not '${name.slice(0, 63)}': PostgreSQL's own settings belong to the database user (ALTER ROLE … SET), role and searchPath beside the settings`)
}

function textOf (name: string, value: unknown): string {
  if (typeof value === 'string' && !value.includes('\0')) return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw new UsageError(`context.settings['${name}'] must be a text without zero bytes, a number or a boolean`)
}

function roleOf (role: unknown): string {
  // PostgreSQL reads "none" as the database user itself.
  if (isName(role) && role !== 'none') return role
  throw new UsageError('context.role must be the name of a role; without one, the database user runs the statements')
}

function pathOf (path: unknown): string {
  if (Array.isArray(path) && path.length > 0 && path.every(isName)) return path.map(escapeIdentifier).join(', ')
  throw new UsageError("context.searchPath must be a list of names of schemas: ['tenant_42']")
}

function isName (value: unknown): value is string {
  return isText(value) && !value.includes('\0')
}
