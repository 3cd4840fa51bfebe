import { DatabaseError } from '../../errors/errors.js'
import { statementOf } from '../runner/failure-messages.js'
import { CommandUsageError } from './usage-error.js'

/** What went wrong, for `--json`. */
export interface Failure {
  readonly code: string
  readonly message: string
  /** PostgreSQL's own words, which here go to who wrote the SQL, or those of the network. */
  readonly cause?: ServerWords
  /** The statement of a migration that failed. */
  readonly statement?: string
}

interface ServerWords {
  readonly message: string
  /** The SQLSTATE, or the code of the system. */
  readonly code?: string
  readonly detail?: string
  readonly hint?: string
  /** Where PostgreSQL was in functions and triggers. */
  readonly where?: string
  /** Where in the statement, in characters from 1, and as a line and a column. */
  readonly position?: number
  readonly line?: number
  readonly column?: number
}

const fields = ['code', 'detail', 'hint', 'where'] as const

/** An error as the command tells it. */
export function failureOf (error: unknown): Failure {
  const { message, cause } = error as Error
  const code = (error as { code?: string }).code ?? (error instanceof CommandUsageError ? 'USAGE' : 'ERROR')
  if (!(error instanceof DatabaseError) || !(cause instanceof Error)) return { code, message }
  const statement = statementOf(error)
  return { code, message, cause: wordsOf(cause, statement), ...statement !== undefined && { statement } }
}

function wordsOf (cause: Error, statement: string | undefined): ServerWords {
  // What may be logged holds no values; who wrote the file knows them.
  const { original = cause } = cause as Error & { original?: Error }
  const said = original as Error & { readonly errors?: readonly Error[], readonly position?: string } & Partial<Record<typeof fields[number], string>>
  // Where a host has several addresses, each has its own words.
  const message = [said, ...said.errors ?? []].map((each) => each.message).filter((text) => text !== '').join('; ')
  const known = fields.flatMap((name) => said[name] === undefined ? [] : [[name, said[name]]])
  return { message, ...Object.fromEntries(known), ...statement !== undefined && said.position !== undefined && placeOf(statement, Number(said.position)) }
}

/** PostgreSQL counts characters, from 1. */
function placeOf (statement: string, position: number): Pick<ServerWords, 'position' | 'line' | 'column'> {
  const before = [...statement].slice(0, position - 1).join('').split('\n')
  return { position, line: before.length, column: [...before.at(-1)!].length + 1 }
}

/** How many lines of a statement are shown before and behind the one that PostgreSQL names. */
const shownAround = 5

/** The same for a person. */
export function textOf ({ message, cause, statement }: Failure): string {
  if (cause === undefined) return message
  const { line = 1, column } = cause
  const written = statement?.split('\n') ?? []
  const shown = written.flatMap((text, index) => {
    if (Math.abs(index + 1 - line) > shownAround) return []
    return index + 1 === line && column !== undefined ? [text, `${[...text].slice(0, column - 1).join('').replace(/[^\t]/g, ' ')}^`] : [text]
  })
  const more = [cause.detail, cause.hint, cause.where].flatMap((text) => text === undefined ? [] : [`  ${text}`])
  const place = column === undefined ? '' : ` (line ${line}, column ${column} of the statement)`
  return [message, `  ${cause.message}${place}`, ...more, ...shown.map((text) => `    ${text}`)].join('\n')
}
