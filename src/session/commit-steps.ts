/** The group that decides for a session. */
export interface CommitGroup {
  readonly isSettled: boolean
  commit (): Promise<void>
  rollback (): Promise<void>
}

/** A session's own part of a commit with others. */
export interface CommitSteps {
  /** The commit has begun; `prevent` is called by an abort. */
  begin (committing: Promise<void>, prevent: (reason: Error) => void): void
  /** Whether a beforeCommit callback has not been called yet. */
  hasCallbacks (): boolean
  /** Calls the next beforeCommit callback. */
  callNext (): unknown
  /** Resolves when no statement is running. */
  idle (): Promise<void> | undefined
  /** Refuses later statements. */
  closeGate (): void
  /** Whether `rollbackOnly()` was called. */
  mustRollBack (): boolean
  /** `false` after `rollbackOnly()`. @throws the reason why the session cannot be committed */
  mayCommit (): boolean
  /** Whether anything but plain reads was requested. */
  hasWritten (): boolean
  /** Checks deferred constraints now. @throws the error that COMMIT would have raised */
  checkConstraints (): Promise<unknown>
  /** From now on nothing prevents the commit. */
  seal (): void
  /** Sends COMMIT; then the afterCommit callbacks start. */
  commit (): Promise<void>
  /** Rolls back for another session of the group. Never rejects. */
  undo (): Promise<void>
  /** Rolls back because the program asks for it. Never rejects. */
  rollback (): Promise<void>
}
