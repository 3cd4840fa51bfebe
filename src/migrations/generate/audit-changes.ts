/**
 * The triggers of audits in migrations. drizzle-kit's snapshots know no triggers, so the SQL of the folder tells which there are: each
 * statement of an audit begins with its mark.
 */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PgTable } from 'drizzle-orm/pg-core'
import { auditOf } from '../../audit/audit.js'
import { auditNames, createAudit, dropAudit, identityOf, readMark } from '../../audit/audit-statements.js'
import { isEntity } from '../../drizzle/entity.js'
import { tableNameOf } from '../../drizzle/table-name.js'
import { MigrationError } from '../../errors/errors.js'
import { statementsOf } from '../folder/directives.js'
import { findJournal } from '../folder/journal.js'
import { readLayout } from '../folder/layout.js'
import { findMigrationFolders } from '../folder/migration-folders.js'
import type { AuditIdentity } from '../../audit/sql-names.js'
import type { Casing } from '../../drizzle/casing.js'
import type { SqlStatement } from '../folder/sql-scanner.js'

/** Statements of audits: those in front of the changes of tables, and those behind them. */
export interface AuditSteps {
  readonly drop: readonly string[]
  readonly create: readonly string[]
}

/** How the audits of a model differ from those of a folder, in both directions. */
export interface AuditChanges {
  readonly up: AuditSteps
  readonly down: AuditSteps
}

interface AuditedModel {
  readonly schema: Record<string, unknown>
  readonly casing: Casing | undefined
}

/** An audit, and the statements that create it. */
interface KnownAudit extends AuditIdentity {
  readonly statements: readonly string[]
}

const none: AuditSteps = { drop: [], create: [] }

/** No change of an audit. */
export const noAuditChanges: AuditChanges = { up: none, down: none }

/** Whether there is any change. */
export function hasChanges ({ up, down }: AuditChanges): boolean {
  return [up, down].some(({ drop, create }) => drop.length + create.length > 0)
}

/** The statements of a migration, with those of audits around them. */
export function withAudits (statements: readonly string[], { drop, create }: AuditSteps): string[] {
  return [...drop, ...statements, ...create]
}

/**
 * Compares the audits of a model with those of a folder. An audit that has changed is dropped and created again.
 *
 * @throws {MigrationError} `DB_MIGRATION_FAILED` if the history table of an audited table is not in the model
 */
export async function auditChanges (folder: string, { schema, casing }: AuditedModel): Promise<AuditChanges> {
  const wanted = auditsOf(schema, casing)
  const present = await auditsIn(folder)
  const gone = [...present].filter(([key, audit]) => !isSame(audit, wanted.get(key))).map(([, audit]) => audit)
  const added = [...wanted].filter(([key, audit]) => !isSame(audit, present.get(key))).map(([, audit]) => audit)
  return { up: steps(gone, added), down: steps(added, gone) }
}

function steps (from: readonly KnownAudit[], to: readonly KnownAudit[]): AuditSteps {
  return { drop: from.flatMap(dropAudit), create: to.flatMap(({ statements }) => statements) }
}

function isSame ({ statements }: KnownAudit, other: KnownAudit | undefined): boolean {
  return statements.join() === other?.statements.join()
}

function auditsOf (schema: Record<string, unknown>, casing: Casing | undefined): Map<string, KnownAudit> {
  const tables = new Set(Object.values(schema).filter((value) => isEntity(value, PgTable)))
  const audits = new Map<string, KnownAudit>()
  for (const table of tables) {
    const audit = auditOf(table)
    if (audit === undefined) continue
    if (!tables.has(audit.history)) throw notExported(audit)
    const names = auditNames(audit, casing)
    audits.set(identityOf(names), { ...names, statements: createAudit(names) })
  }
  return audits
}

function notExported ({ table, history }: { table: PgTable, history: PgTable }): MigrationError {
  const [own, other] = [table, history].map((each) => tableNameOf(each).name)
  return new MigrationError(
    `The table ${own} has an audit, but its history table is not in the schema: export what audit() returns, which is the table ${other}`,
    'DB_MIGRATION_FAILED'
  )
}

/** The audits that the migrations of a folder have created and not dropped. */
async function auditsIn (folder: string): Promise<Map<string, KnownAudit>> {
  const audits = new Map<string, KnownAudit>()
  for (const { sql } of await statementsIn(folder)) {
    const mark = readMark(sql)
    if (mark === undefined) continue
    const key = identityOf(mark)
    if (mark.ends) audits.delete(key)
    else audits.set(key, { table: mark.table, history: mark.history, statements: [...audits.get(key)?.statements ?? [], `${sql};`] })
  }
  return audits
}

/** The statements of all migrations of a folder, in order. A file that is missing is reported when the migrations are checked. */
async function statementsIn (folder: string): Promise<SqlStatement[]> {
  const hasMigrations = await findJournal(folder) !== undefined || (await findMigrationFolders(folder)).length > 0
  if (!hasMigrations) return []
  const { layout, entries } = await readLayout(folder)
  const paths = entries.map(({ tag }) => join(folder, layout.upFile(tag))).filter((path) => existsSync(path))
  const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8')))
  return texts.flatMap(statementsOf)
}
