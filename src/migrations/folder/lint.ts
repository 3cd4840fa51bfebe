import { singleStatements, type MigrationText } from './directives.js'
import type { SqlStatement } from './sql-scanner.js'

const controls = /^(?:BEGIN|START TRANSACTION|COMMIT|END|ABORT|PREPARE TRANSACTION|ROLLBACK(?!(?: WORK| TRANSACTION)? TO\b))\b/

/** Those that PostgreSQL refuses in a transaction: see "cannot be executed inside a transaction block" in its reference. */
const outsiders = [
  /^CREATE (?:UNIQUE )?INDEX CONCURRENTLY\b/,
  /^DROP INDEX CONCURRENTLY\b/,
  /^REINDEX (?:\( [^)]*\) )?(?:DATABASE|SYSTEM|SCHEMA)\b/,
  /^REINDEX\b.*\bCONCURRENTLY\b/,
  /^ALTER TABLE\b.*\bDETACH PARTITION\b.*\bCONCURRENTLY$/,
  /^VACUUM\b/,
  /^CLUSTER(?: VERBOSE| \( [^)]*\))?$/,
  /^(?:CREATE|DROP) (?:DATABASE|TABLESPACE)\b/,
  /^ALTER DATABASE\b.*\bSET TABLESPACE\b/,
  /^ALTER SYSTEM\b/,
  /^DISCARD ALL$/
]

/** Whether a statement begins or ends a transaction. */
export function controlsTransaction (statement: SqlStatement): boolean {
  return controls.test(keywordsOf(statement))
}

/** Whether PostgreSQL carries a statement out only where there is no transaction. */
export function runsOutside (statement: SqlStatement): boolean {
  const text = keywordsOf(statement)
  return outsiders.some((pattern) => pattern.test(text))
}

/** Whether a statement may end transactions of its own, where it stands outside of one. */
export function runsCode ({ words }: SqlStatement): boolean {
  return words[0] === 'DO' || words[0] === 'CALL'
}

/** Whether a statement waits for others without anybody having to wait for it. */
export function isConcurrent (statement: SqlStatement): boolean {
  return runsOutside(statement) && statement.words.includes('CONCURRENTLY')
}

/** Why a file cannot be run, with the way out, before anything of it was run: once for each reason, with all the statements that it holds for; as a rule nothing. */
export function lint ({ statements, transactional }: MigrationText, file: string): string[] {
  const places = new Map<string, string[]>()
  for (const [index, sql] of statements.entries()) {
    for (const statement of singleStatements(sql)) {
      const reason = transactional ? inTransaction(statement) : outsideTransaction(statement)
      if (reason !== undefined) places.set(reason, [...places.get(reason) ?? [], `statement ${index + 1}, ${begin(statement)}`])
    }
  }
  return [...places].map(([reason, found]) => `${file}, ${found.join('; ')}: ${reason}`)
}

function inTransaction (statement: SqlStatement): string | undefined {
  if (controlsTransaction(statement)) {
    return 'a file is one transaction already. Leave the statement out; only where the file has to commit in between, mark it with the line -- data-access: no-transaction'
  }
  if (runsOutside(statement)) {
    return 'cannot run in a transaction. Put it into a file of its own with the line -- data-access: no-transaction'
  }
  return undefined
}

function outsideTransaction (statement: SqlStatement): string | undefined {
  return /^CREATE (?:UNIQUE )?INDEX CONCURRENTLY (?:IF NOT EXISTS )?ON\b/.test(keywordsOf(statement))
    ? 'has no name by which it is found again when it was interrupted. Give the index a name'
    : undefined
}

/** The words as one text, in which a quoted name is none of them. */
function keywordsOf ({ words }: SqlStatement): string {
  return words.map((word) => word.startsWith('"') ? '""' : word).join(' ')
}

/** The keywords that a statement begins with; names and values stay out of errors. */
function begin ({ words }: SqlStatement): string {
  const ends = words.findIndex((word) => !/^[A-Z]+$/.test(word))
  const first = words.slice(0, ends < 0 ? 3 : Math.min(ends, 3))
  return [...first, ...words.includes('CONCURRENTLY') && !first.includes('CONCURRENTLY') ? ['CONCURRENTLY'] : []].join(' ')
}
