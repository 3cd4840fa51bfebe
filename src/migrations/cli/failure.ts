import { DatabaseError } from '../../errors/errors.js'
import { statementOf } from '../runner/failure-messages.js'
import { CommandUsageError } from './usage-error.js'

/** An error, as `--json` prints it. */
export interface Failure {
  readonly code: string
  readonly message: string
  /** The error of PostgreSQL or the network. The command may show it, because its user wrote the SQL. */
  readonly cause?: FailureCause
  /** The failed statement of a migration. */
  readonly statement?: string
}

interface FailureCause {
  readonly message: string
  /** The SQLSTATE, or the system's error code. */
  readonly code?: string
  readonly detail?: string
  readonly hint?: string
  /** PostgreSQL's call stack of functions and triggers. */
  readonly where?: string
  /** The position in the statement, in characters from 1; then as a line and a column. */
  readonly position?: number
  readonly line?: number
  readonly column?: number
}

const fields = ['code', 'detail', 'hint', 'where'] as const

/** Describes an error for the command. */
export function failureOf (error: unknown): Failure {
  const { message, cause } = error as Error
  const code = (error as { code?: string }).code ?? (error instanceof CommandUsageError ? 'USAGE' : 'ERROR')
  if (!(error instanceof DatabaseError) || !(cause instanceof Error)) return { code, message }
  const statement = statementOf(error)
  return { code, message, cause: causeOf(cause, statement), ...statement !== undefined && { statement } }
}

function causeOf (cause: Error, statement: string | undefined): FailureCause {
  // A logged error holds no values. Here the original may be shown: the user wrote the file.
  const { original = cause } = cause as Error & { original?: Error }
  const said = original as Error & { readonly errors?: readonly Error[], readonly position?: string } & Partial<Record<typeof fields[number], string>>
  // If a host has several addresses, each has an error of its own.
  const message = [said, ...said.errors ?? []].map((each) => each.message).filter((text) => text !== '').join('; ')
  const known = fields.flatMap((name) => said[name] === undefined ? [] : [[name, said[name]]])
  return { message, ...Object.fromEntries(known), ...statement !== undefined && said.position !== undefined && placeOf(statement, Number(said.position)) }
}

/** PostgreSQL counts characters, from 1. */
function placeOf (statement: string, position: number): Pick<FailureCause, 'position' | 'line' | 'column'> {
  const before = [...statement].slice(0, position - 1).join('').split('\n')
  return { position, line: before.length, column: [...before.at(-1)!].length + 1 }
}

/** How many lines of a statement are shown before and after the one that PostgreSQL names. */
const shownAround = 5

/** Formats a failure for a terminal. */
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
