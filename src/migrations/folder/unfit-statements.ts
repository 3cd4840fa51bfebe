import type { MigrationText } from './directives.js'
import type { SqlStatement } from './sql-scanner.js'

const controls = /^(?:BEGIN|START TRANSACTION|COMMIT|END|ABORT|PREPARE TRANSACTION|ROLLBACK(?!(?: WORK| TRANSACTION)? TO\b))\b/

/** Statements that PostgreSQL refuses in a transaction: see "cannot be executed inside a transaction block" in its reference. */
const outsideOnly = [
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

/** Whether PostgreSQL runs a statement only outside a transaction. */
export function runsOutside (statement: SqlStatement): boolean {
  const text = keywordsOf(statement)
  return outsideOnly.some((pattern) => pattern.test(text))
}

/** Whether a statement may begin and end transactions itself, when it runs outside a transaction. */
export function runsCode ({ words }: SqlStatement): boolean {
  return words[0] === 'DO' || words[0] === 'CALL'
}

/** Whether a statement waits for other transactions without blocking them. */
export function isConcurrent (statement: SqlStatement): boolean {
  return runsOutside(statement) && statement.words.includes('CONCURRENTLY')
}

/** The reasons why a file would fail, each with its fix and with all its statements; usually empty. */
export function unfitStatements ({ scanned, transactional }: MigrationText, file: string): string[] {
  const places = new Map<string, string[]>()
  for (const [index, statements] of scanned.entries()) {
    for (const statement of statements) {
      const reason = transactional ? inTransaction(statement) : outsideTransaction(statement)
      if (reason !== undefined) places.set(reason, [...places.get(reason) ?? [], `statement ${index + 1}, ${firstKeywords(statement)}`])
    }
  }
  return [...places].map(([reason, found]) => `${file}, ${found.join('; ')}: ${reason}`)
}

function inTransaction (statement: SqlStatement): string | undefined {
  if (controlsTransaction(statement)) {
    return 'a file is one transaction already. Remove the statement, or, if the file must commit in between, add the line -- data-access: no-transaction'
  }
  if (runsOutside(statement)) {
    return 'cannot run in a transaction. Move it to a file of its own with the line -- data-access: no-transaction'
  }
  return undefined
}

function outsideTransaction (statement: SqlStatement): string | undefined {
  return /^CREATE (?:UNIQUE )?INDEX CONCURRENTLY (?:IF NOT EXISTS )?ON\b/.test(keywordsOf(statement))
    ? 'has no name, so an interrupted build cannot be found again. Give the index a name'
    : undefined
}

/** The words as one text. Quoted names are left out, so they never match a keyword. */
function keywordsOf ({ words }: SqlStatement): string {
  return words.map((word) => word.startsWith('"') ? '""' : word).join(' ')
}

/** The first keywords of a statement. Names and values stay out of errors. */
function firstKeywords ({ words }: SqlStatement): string {
  const ends = words.findIndex((word) => !/^[A-Z]+$/.test(word))
  const first = words.slice(0, ends < 0 ? 3 : Math.min(ends, 3))
  return [...first, ...words.includes('CONCURRENTLY') && !first.includes('CONCURRENTLY') ? ['CONCURRENTLY'] : []].join(' ')
}
