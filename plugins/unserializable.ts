import type { onErrorHookHandler } from 'fastify'

/** The message of JSON.stringify; its error has no code. */
const bigint = /serialize a BigInt$/

const wayOut = "JSON has no bigint: give the route a response schema (type 'integer' or 'string'), answer with toDict(table, row), which makes strings of them, or declare the column as bigint({ mode: 'number' })"

/** Adds the solution to the error of a row that cannot be written as JSON. The error belongs to this reply alone, so its message may change. */
export const explainBigint: onErrorHookHandler = (_request, _reply, error, done) => {
  if (error instanceof TypeError && bigint.test(error.message)) error.message += `: ${wayOut}`
  done()
}
