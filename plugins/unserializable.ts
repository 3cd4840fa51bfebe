import type { onErrorHookHandler } from 'fastify'

/** What JSON.stringify says, and no code. */
const bigint = /serialize a BigInt$/

const wayOut = "JSON has no bigint: give the route a response schema (type 'integer' or 'string'), answer with toDict(table, row), which makes strings of them, or declare the column as bigint({ mode: 'number' })"

/** Says the way out where a row could not be written as JSON; the error belongs to this reply alone, and keeps its class and its place in the log. */
export const explainBigint: onErrorHookHandler = (_request, _reply, error, done) => {
  if (error instanceof TypeError && bigint.test(error.message)) error.message += `: ${wayOut}`
  done()
}
