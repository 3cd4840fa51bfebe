/** The outcome of a session's transaction. `none`: it was never opened. `unknown`: the response to COMMIT was lost. */
export type SessionOutcome = 'none' | 'open' | 'committed' | 'rolledBack' | 'unknown'

/** A session, or the sessions of several databases, which commit or roll back as one. */
export interface SessionUnit {
  readonly outcome: SessionOutcome
  /** Whether `rollback()` or `close()` ended it. */
  readonly isRolledBack: boolean
  /** Whether a commit or a rollback has begun. */
  readonly isSettled: boolean
  /** Whether something was done that another attempt would lack. */
  readonly isUsed: boolean
  /** Whether a statement or a nested scope is running, or waits. */
  readonly isBusy: boolean
  /** How many statements were requested. */
  readonly asked: number
  commit (): Promise<void>
  rollback (): Promise<void>
  close (): Promise<void>
  abort (reason: Error): void
  /** Commits synchronously if there is nothing to commit and nothing to wait for; else does nothing and returns `false`. */
  commitNow (): boolean
  endStreams (reason: () => Error): Promise<unknown> | undefined
}
