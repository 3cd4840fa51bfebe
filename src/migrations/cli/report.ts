import type { MigrationUpgrade } from '../upgrade-migrations.js'

/** The result of a subcommand. */
export interface Report {
  /** The document that `--json` prints. */
  readonly document: unknown
  /** The text that is printed without `--json`. */
  readonly text: string
  /** Whether something is pending or differs: exit code 3. */
  readonly isDue?: boolean
  /** Whether a part of the work has failed: exit code 1. */
  readonly isFailed?: boolean
}

/** A headline and the lines below it. */
export function lines (headline: string, more: readonly string[]): string {
  return [headline, ...more].join('\n')
}

/** The changes of an upgrade, as text. */
export function upgradeText ({ written, files, table }: MigrationUpgrade, back: boolean): string {
  const changes = [...files.map(({ from, to }) => from === undefined ? `write   ${to}` : to === undefined ? `remove  ${from}` : `move    ${from} to ${to}`), ...tableLines(table, back)]
  const version = back ? '0.31' : '1.0'
  if (changes.length === 0) return `Nothing to do: ${table === undefined ? 'the folder is that' : 'folder and table are those'} of drizzle-kit ${version}`
  const headline = written ? `Changed to drizzle-kit ${version}` : `To change to drizzle-kit ${version}; --write does it`
  return lines(headline, changes.map((change) => `  ${change}`))
}

function tableLines (table: MigrationUpgrade['table'], back: boolean): string[] {
  if (table === undefined) return []
  const { columns, rows, unfinished } = table
  return [
    ...columns === 'unchanged' ? [] : [`table   columns name and applied_at ${columns}`],
    ...rows.map(({ tag, name }) => back ? `table   ${tag} without its name` : `table   ${tag} with the name ${name}`),
    ...unfinished === undefined ? [] : [`table   the unfinished file is ${unfinished}`]
  ]
}
