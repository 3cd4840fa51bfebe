/**
 * What a function returns, run while errors take no stack: one costs about as much as the rest of a refused statement, and then
 * once more in the log. It is for errors that are made in such numbers, in a place that tells nothing of the caller.
 */
export function withoutStack<Result> (make: () => Result): Result {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return make()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}
