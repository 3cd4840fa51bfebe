import type { LeadingStatement } from './leading-statement.js'

/** How a statement was sent. */
export interface Observed {
  readonly prelude: readonly LeadingStatement[]
  readonly durationMillis: number
}
