/** Does nothing: for what has nobody to tell. */
export function ignore (): void {}

/**
 * Marks a promise as handled and returns it: one that nobody awaits must not end the process when it rejects.
 * What failed in a transaction is remembered there, and the commit tells of it.
 */
export function handled<Result> (promise: Promise<Result>): Promise<Result> {
  promise.catch(ignore)
  return promise
}
