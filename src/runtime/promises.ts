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

/** Resolves when some work is done, or the time is over. */
export async function within (timeoutMillis: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<void>((resolve) => { timer = setTimeout(resolve, timeoutMillis) })
  await Promise.race([work, limit])
  clearTimeout(timer)
}
