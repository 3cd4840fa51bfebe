import { MigrationError } from '../../errors/errors.js'
import { piecesOf, scanSql, type SqlStatement } from './sql-scanner.js'

/** A parsed migration file. */
export interface MigrationText {
  /**
   * The texts sent to PostgreSQL, one after the other. In a transaction, each is the text between two `--> statement-breakpoint`; outside
   * a transaction, each is a single statement. Texts that hold only comments are left out, so the list may be empty.
   */
  readonly statements: readonly string[]
  /** The single statements in each of {@link MigrationText.statements}. In a transaction one text may hold several. */
  readonly scanned: ReadonlyArray<readonly SqlStatement[]>
  /** False if the file has the line `-- data-access: no-transaction`. */
  readonly transactional: boolean
  /** What the file cannot restore: the reasons in its lines `-- data-access: irreversible …`. */
  readonly irreversible: readonly string[]
}

/** The directive of a file whose statements run outside a transaction. */
export const noTransaction = '-- data-access: no-transaction'

/** drizzle-kit's separator between the statements of a file. */
export const breakpoint = '--> statement-breakpoint'

/** The statements of a file, one by one, each with its place in the file. */
export function statementsOf (text: string): SqlStatement[] {
  let base = 0
  return text.split(breakpoint).flatMap((part) => {
    const statements = scanSql(part).statements.map((statement) => ({ ...statement, at: base + statement.at }))
    base += part.length + breakpoint.length
    return statements
  })
}

const directive = /^\s*data-access:\s*(\S*)\s*(.*?)\s*$/

/**
 * Parses the text of a file, `<tag>.sql` or `<tag>.down.sql`. A directive is a line comment; text inside strings and function bodies is never a directive.
 *
 * @param file the file's name, for the error
 * @throws {MigrationError} `DB_MIGRATION_FAILED` for an unknown directive, or a missing reason
 */
export function parseMigration (text: string, file: string): MigrationText {
  const parts = text.split(breakpoint).map((part) => ({ sql: part.trim(), ...scanSql(part) }))
  const directives = parts.flatMap(({ lineComments }) => lineComments).flatMap((comment) => {
    const [, word, rest] = directive.exec(comment) ?? []
    return word === undefined || rest === undefined ? [] : [{ word, rest }]
  })
  for (const { word, rest } of directives) checkDirective(word, rest, file)
  const transactional = !directives.some(({ word }) => word === 'no-transaction')
  const texts = transactional
    ? parts.filter(({ statements }) => statements.length > 0)
    : parts.flatMap(({ statements }) => statements).map((statement) => ({ sql: statement.sql, statements: [statement] }))
  return {
    statements: texts.map(({ sql }) => sql),
    scanned: texts.map(({ statements }) => statements),
    transactional,
    irreversible: directives.filter(({ word }) => word === 'irreversible').map(({ rest }) => rest)
  }
}

/**
 * The texts that a file may have had before its directives were added or removed. Directives say how a file runs, not what it does.
 * The text itself comes first.
 */
export function equivalentTexts (text: string): string[] {
  const bare = text.split(breakpoint).map(withoutDirectives).join(breakpoint)
  const ends = [bare, bare.trimStart(), bare.trimEnd(), bare.trim(), `${bare.trimEnd()}\n`]
  return [...new Set([text, ...ends, ...ends.map((end) => `${noTransaction}\n${end}`)])]
}

/** A part without its directives, and without the lines that hold nothing else. */
function withoutDirectives (part: string): string {
  let left = ''
  let skipsBreak = false
  for (const { piece } of piecesOf(part)) {
    if (piece.startsWith('--') && directive.test(piece.slice(2))) {
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

/** The rules that a comment of a statement switches off for it: `-- data-access: may-block <rule> <reason>`. */
export function mayBlock (comments: readonly string[]): string[] {
  return comments.flatMap((comment) => {
    const [, word, rest = ''] = directive.exec(comment) ?? []
    return word === 'may-block' ? [rest.split(/\s/, 1).join()] : []
  })
}

function checkDirective (word: string, rest: string, file: string): void {
  if (word === 'irreversible' && rest === '') {
    throw new MigrationError(`${file} has the directive irreversible without a reason: write what the file cannot restore after the word`, 'DB_MIGRATION_FAILED')
  }
  if (word === 'may-block' && !/^\S+\s+\S/.test(rest)) {
    throw new MigrationError(`${file} has the directive may-block without a rule and a reason: write -- data-access: may-block set-not-null the table is small`, 'DB_MIGRATION_FAILED')
  }
  if (word !== 'irreversible' && word !== 'no-transaction' && word !== 'may-block') {
    throw new MigrationError(`${file} has an unknown directive, ${word}: the directives are no-transaction, irreversible and may-block`, 'DB_MIGRATION_FAILED')
  }
}
