import type { ClientBase } from 'pg'
import type { LeadingStatement } from './leading-statement.js'

/** How a statement was sent. */
export interface Observed {
  readonly prelude: readonly LeadingStatement[]
  readonly durationMillis: number
  /** The client that it was sent over. */
  readonly client: ClientBase
}
