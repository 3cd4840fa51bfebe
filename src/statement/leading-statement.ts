import { statementName } from './statement-name.js'
import type { Statement } from './statement.js'

/** A statement that is sent in front of others, under the same Sync: BEGIN, a savepoint, settings. */
export interface LeadingStatement extends Pick<Statement, 'text' | 'values'> {
  readonly name: string | undefined
  /** Whether its first column is the answer to a question: {@link Outcome.preludeValue}. */
  readonly asks?: boolean
}

/** No statements. */
export const noLead: readonly LeadingStatement[] = Object.freeze([])

const noValues: readonly unknown[] = Object.freeze([])

/** The statements that have a name, by their texts. */
const named = new Map<string, LeadingStatement>()

/** A leading statement without values. */
export function leading (text: string): LeadingStatement {
  return { text, name: undefined, values: noValues }
}

/** A leading statement that PostgreSQL prepares by name. There must be few of them: each is kept. */
export function preparedLeading (label: string, text: string): LeadingStatement {
  let statement = named.get(text)
  if (statement === undefined) named.set(text, statement = { text, name: statementName(label, text), values: noValues })
  return statement
}

/** Whether a prelude begins a transaction. Otherwise it and the statements behind it are one, unless a transaction is open. */
export function beginsTransaction ([first]: readonly LeadingStatement[]): boolean {
  return first?.text.startsWith('begin') === true
}
