import type { ClientBase } from 'pg'
import type { LeadingStatement } from './leading-statement.js'

/** How a statement was sent. */
export interface Observed {
  readonly prelude: readonly LeadingStatement[]
  /** The time of the whole batch, if several statements were sent together. */
  readonly durationMillis: number
  /** Whether the statement before it in its batch has the same text, as those of a long `createMany()` have. */
  readonly repeats: boolean
  /** The client that it was sent over. */
  readonly client: ClientBase
}
