import { lines } from './report.js'
import type { BlockingStatement } from '../blocking/find-blocking.js'
import type { Layout } from '../folder/layout.js'
import type { CreatedMigration } from '../generate/create-migration.js'
import type { LintFinding, MigrationLint } from '../lint-migrations.js'

/** What `migrate create` has written, what cannot be restored, and what would block a table in use. */
export function createdText ({ tag, irreversible, blocking }: CreatedMigration, layout: Layout): string {
  return lines(`Wrote ${layout.upFile(tag)} and ${layout.downFile(tag)}`, [
    ...irreversible.map((what) => `  cannot be restored: ${what}`),
    ...blocking.length === 0 ? [] : [`${wouldBlock(blocking)}. Where the tables are in use, edit the file as the steps say; migrate lint checks it again`, ...blocking.flatMap(linesOf)]
  ])
}

/** The findings of `migrate lint`. */
export function lintText ({ findings }: MigrationLint): string {
  return lines(findings.length === 0 ? 'Nothing would block a table in use' : wouldBlock(findings), findings.flatMap(linesOf))
}

function wouldBlock ({ length }: readonly BlockingStatement[]): string {
  return `${length} ${length === 1 ? 'statement' : 'statements'} would block a table in use`
}

function linesOf ({ file, line, rule, statement, message, steps, rows }: LintFinding): string[] {
  const size = rows === undefined ? '' : ` (about ${rows.toLocaleString('en')} rows)`
  return [`  ${file}:${line}  ${rule}${size}`, `    ${statement}`, `    ${message}.`, ...steps.map((step, index) => `      ${steps.length === 1 ? '-' : `${index + 1}.`} ${step}`)]
}
