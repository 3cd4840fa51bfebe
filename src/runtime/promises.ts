/** Does nothing. */
export function ignore (): void {}

/**
 * Marks a promise as handled and returns it: a promise that is not awaited must not end the process when it rejects.
 * A transaction remembers its failure, and the commit reports it.
 */
export function handled<Result> (promise: Promise<Result>): Promise<Result> {
  promise.catch(ignore)
  return promise
}
