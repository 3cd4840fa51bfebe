/** The statements that are running on a connection. */
export interface Running {
  readonly texts: readonly string[]
  /** When they were sent, on the clock of `performance.now()`. */
  readonly since: number
  readonly inTransaction: boolean
  /** Whether they follow a prelude, which may have set their limits. */
  readonly isLed: boolean
  /** Whether the user's own SQL may have changed `statement_timeout` on this connection. */
  readonly hasOwnLimit: boolean
}
