import { UsageError } from '../errors/errors.js'
import { isText } from '../runtime/option-checks.js'
import { findBlockingIn } from './blocking/check-folder.js'
import { quoted } from './blocking/statements/full-name.js'
import { readLayout } from './folder/layout.js'
import { asDatabaseError } from './history/as-database-error.js'
import { checkMigrationCall } from './history/check-migration-call.js'
import { compare } from './history/compare.js'
import { withClient } from './history/migration-client.js'
import { migrationOptions } from './history/migration-options.js'
import type { Client } from 'pg'
import type { OptionChecks } from '../runtime/option-checks.js'
import type { BlockingStatement } from './blocking/find-blocking.js'
import type { MigrationOptions } from './history/migration-options.js'

/** The options of {@link lintMigrations}. */
export interface LintOptions extends MigrationOptions {
  /**
   * `'pending'`: the migrations that the database lacks. They are deployed together, so nobody uses a table yet that one of them creates. `'all'`: every
   * migration of the folder, each as if it were deployed by itself. An array: these tags or files, deployed together. Only `'pending'` needs a database.
   * @defaultValue `'pending'`
   */
  readonly migrations?: 'pending' | 'all' | readonly string[] | undefined
}

/** A statement that would block a table in use. */
export interface LintFinding extends BlockingStatement {
  /** About how many rows the table has, as PostgreSQL estimates it; undefined without a database, or if the table was never analyzed. */
  readonly rows?: number
}

/** The result of {@link lintMigrations}. */
export interface MigrationLint {
  /** Whether nothing was found. */
  readonly ok: boolean
  readonly findings: readonly LintFinding[]
}

/**
 * Finds the statements of migrations that would block a table in use, and names the steps that do not: `SET NOT NULL`, constraints without `NOT VALID`,
 * indexes without `CONCURRENTLY`, types that write every row again, and so on. It reads the files, changes nothing, and runs none of their statements.
 *
 * The size of a table changes no verdict: the database of a pipeline is small where that of production is not. A comment in the file allows a rule for the
 * next statement, with a reason: `-- data-access: may-block set-not-null the table has 200 rows`.
 *
 * @throws {MigrationError} `DB_MIGRATION_MISSING` for a folder that cannot be read; `DB_MIGRATION_FAILED` for an unknown directive or rule
 * @throws {ConnectionError} with `'pending'`, if the database does not answer
 * @throws {UsageError} for an unknown option, an unusable value, or a migration that is not in the folder
 *
 * @example
 * const { findings } = await lintMigrations({ migrations: 'all' })
 * for (const { file, line, rule, message } of findings) console.warn(`${file}:${line} ${rule}: ${message}`)
 */
export async function lintMigrations (options: LintOptions = {}): Promise<MigrationLint> {
  checkMigrationCall('lintMigrations()', options, lintOptions)
  const { folder = './drizzle', migrations = 'pending' } = options
  const findings = await findingsOf(folder, migrations, options)
  return { ok: findings.length === 0, findings }
}

async function findingsOf (folder: string, migrations: NonNullable<LintOptions['migrations']>, options: LintOptions): Promise<readonly LintFinding[]> {
  if (migrations === 'all') return await findBlockingIn(folder, { isChecked: () => true, areTogether: false })
  if (migrations === 'pending') return await withClient(options, (client) => pendingFindings(client, folder, options))
  const tags = await tagsOf(folder, migrations)
  return await findBlockingIn(folder, { isChecked: ({ tag }) => tags.has(tag), areTogether: true })
}

async function pendingFindings (client: Client, folder: string, options: LintOptions): Promise<LintFinding[]> {
  const pending = new Set((await compare(client, options)).pending.map(({ tag }) => tag))
  const found = await findBlockingIn(folder, { isChecked: ({ tag }) => pending.has(tag), areTogether: true })
  const sizes = await sizesOf(client, found.flatMap(({ table }) => table ?? []))
  return found.map((finding) => ({ ...finding, ...sizes.get(finding.table) }))
}

/** How many rows tables have, as PostgreSQL estimates it. It counts none, which would take as long as what the rules are about. */
async function sizesOf (client: Client, tables: readonly string[]): Promise<ReadonlyMap<string | undefined, { readonly rows: number }>> {
  const { rows } = await asDatabaseError(client.query<{ name: string, rows: number }>(
    'select t.name, c.reltuples as rows from unnest($1::text[], $2::text[]) as t (name, quoted) join pg_class c on c.oid = to_regclass(t.quoted) where c.reltuples >= 0',
    [tables, tables.map(quoted)]
  ))
  return new Map(rows.map(({ name, rows }) => [name, { rows }]))
}

/** The tags of migrations, by their tags or by the paths of their files. */
async function tagsOf (folder: string, names: readonly string[]): Promise<Set<string>> {
  const { layout, entries } = await readLayout(folder)
  return new Set(names.map((name) => {
    const path = name.replaceAll('\\', '/')
    const found = entries.find(({ tag }) => path === tag || `/${path}`.endsWith(`/${layout.upFile(tag)}`))
    if (found === undefined) throw new UsageError(`There is no migration ${name} in ${folder}: give the name of a file, or of a migration's folder`)
    return found.tag
  }))
}

const isChoice = (value: unknown): boolean => value === 'pending' || value === 'all' || (Array.isArray(value) && value.length > 0 && value.every(isText))

/** The checks of {@link LintOptions}. */
export const lintOptions: OptionChecks<LintOptions> = {
  ...migrationOptions,
  migrations: [isChoice, "must be 'pending', 'all', or an array of the names of migrations"]
}
