import { MigrationError } from '../../errors/errors.js'
import { piecesOf, scanSql, type SqlStatement } from './sql-scanner.js'

/** What a migration's file asks for. */
export interface MigrationText {
  /**
   * What is sent to PostgreSQL, one after the other. In a transaction, what stands between two `--> statement-breakpoint`; outside of
   * one, single statements. What is all comment is left out: a file may do nothing.
   */
  readonly statements: readonly string[]
  /** False where the file has the line `-- data-access: no-transaction`. */
  readonly transactional: boolean
  /** What the file cannot restore: the words of its lines `-- data-access: irreversible …`. */
  readonly irreversible: readonly string[]
}

/** drizzle-kit's, between the statements of a file. */
export const breakpoint = '--> statement-breakpoint'

const mark = /^\s*data-access:\s*(\S*)\s*(.*?)\s*$/

/**
 * Reads the text of a file, `<tag>.sql` or `<tag>.down.sql`. Marks are comments of their own: inside strings and function bodies they are none.
 *
 * @param file its name, for the error
 * @throws {MigrationError} `DB_MIGRATION_FAILED` for a mark that does not exist, or a reason that is missing
 */
export function parseMigration (text: string, file: string): MigrationText {
  const parts = text.split(breakpoint).map((part) => ({ sql: part.trim(), ...scanSql(part) }))
  const marks = parts.flatMap(({ lineComments }) => lineComments).flatMap((comment) => {
    const [, word, rest] = mark.exec(comment) ?? []
    return word === undefined || rest === undefined ? [] : [{ word, rest }]
  })
  for (const { word, rest } of marks) checkMark(word, rest, file)
  const transactional = !marks.some(({ word }) => word === 'no-transaction')
  return {
    statements: transactional
      ? parts.filter(({ statements }) => statements.length > 0).map(({ sql }) => sql)
      : parts.flatMap(({ statements }) => statements).map(({ sql }) => sql),
    transactional,
    irreversible: marks.filter(({ word }) => word === 'irreversible').map(({ rest }) => rest)
  }
}

/**
 * The texts that a file may have had before it was marked, or before its marks were taken out: marks say how a file is to be run, and are no part of what it does.
 * The text itself comes first.
 */
export function unmarkedTexts (text: string): string[] {
  const bare = text.split(breakpoint).map(withoutMarks).join(breakpoint)
  const ends = [bare, bare.trimStart(), bare.trimEnd(), bare.trim(), `${bare.trimEnd()}\n`]
  return [...new Set([text, ...ends, ...ends.map((end) => `${noTransaction}\n${end}`)])]
}

const noTransaction = '-- data-access: no-transaction'

/** Without the marks of a part, and without the lines that hold nothing else. */
function withoutMarks (part: string): string {
  let left = ''
  let skipsBreak = false
  for (const { piece } of piecesOf(part)) {
    if (piece.startsWith('--') && mark.test(piece.slice(2))) {
      left = left.replace(/[ \t]+$/, '')
      skipsBreak = left === '' || left.endsWith('\n')
    } else if (skipsBreak && (piece === '\r' || piece === '\n')) {
      skipsBreak = piece === '\r'
    } else {
      left += piece
      skipsBreak = false
    }
  }
  return left
}

/** The single statements of one that {@link parseMigration} has found: in a transaction it may hold several. */
export function singleStatements (sql: string): readonly SqlStatement[] {
  return scanSql(sql).statements
}

function checkMark (word: string, rest: string, file: string): void {
  if (word === 'irreversible' && rest === '') {
    throw new MigrationError(`${file} is marked as irreversible without a reason: write what it cannot restore behind the word`, 'DB_MIGRATION_FAILED')
  }
  if (word !== 'irreversible' && word !== 'no-transaction') {
    throw new MigrationError(`${file} has a mark that does not exist, ${word}: there are no-transaction and irreversible`, 'DB_MIGRATION_FAILED')
  }
}
