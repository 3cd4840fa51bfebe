import { UsageError } from '../errors/errors.js'
import { AsyncContext } from '../runtime/async-context.js'
import { mustBeFunction } from '../errors/check-call.js'
import { Database } from '../database/database.js'
import type { SessionContext } from '../session/transaction/session-context.js'
import type { Statement } from '../statement/statement.js'

/** A statement that the function sent. */
export interface CapturedStatement {
  readonly text: string
  /** From the call to the answer, in milliseconds. The wait for a connection counts. */
  readonly durationMillis: number
}

/** The result of a function and the statements that it sent. */
export interface Captured<Result> {
  /** The value that the function resolved with. */
  readonly result: Result
  /** In the order of the calls. Failed statements are included. */
  readonly statements: CapturedStatement[]
}

interface Capture {
  readonly statements: CapturedStatement[]
  readonly answers: Array<Promise<void>>
  /** The capture whose function started this one. */
  readonly outer: Capture | undefined
}

const context = new AsyncContext<Capture>()
/** The captures under way of each database. */
const captures = new WeakMap<SessionContext, Set<Capture>>()

/**
 * Runs a function and returns the SQL that the repositories, sessions, requests and Drizzle databases of a database sent for it.
 * It guards against a query for each row of a list.
 *
 * Statements that the package adds are left out (BEGIN, COMMIT, savepoints, settings). The count is therefore the same in a
 * {@link sandbox}, in a nested transaction, and where BEGIN travels with a statement. A stream counts once, with its first batch.
 *
 * Captures that run at the same time do not mix. A capture within another counts in both. Statements outside of all captures
 * (a request over a real socket) count in each. `database.pool` and `fastify.pg` are not watched.
 *
 * @throws UsageError when the arguments are not a database and a function; every error of the function
 * @example
 * ```ts
 * const { result, statements } = await captureStatements(server.db, () => server.inject('/articles'))
 * t.equal(statements.length, 2, 'one for the articles, one for all their authors')
 * ```
 */
export async function captureStatements<Result> (database: Database, fn: () => Result | Promise<Result>): Promise<Captured<Result>> {
  if (!(database instanceof Database)) throw new UsageError('captureStatements() takes a database (of openDatabase(), or server.db) and a function')
  const refusal = mustBeFunction(fn, 'captureStatements()')
  if (refusal !== undefined) throw refusal
  const { host } = database
  const capture: Capture = { statements: [], answers: [], outer: context.current }
  const leave = context.enter()
  const stop = start(host, capture)
  try {
    const result = await context.run(capture, fn)
    await Promise.all(capture.answers)
    return { result, statements: capture.statements }
  } finally {
    stop()
    leave()
  }
}

function start (host: SessionContext, capture: Capture): () => void {
  const all = captures.get(host) ?? new Set()
  captures.set(host, all.add(capture))
  host.watch = (statement, answer) => {
    const own = context.current
    for (const each of own === undefined ? all : withOuter(own)) if (all.has(each)) note(each, statement, answer)
  }
  return () => {
    all.delete(capture)
    if (all.size === 0) host.watch = undefined
  }
}

function withOuter (capture: Capture): Capture[] {
  return capture.outer === undefined ? [capture] : [capture, ...withOuter(capture.outer)]
}

function note ({ statements, answers }: Capture, { text }: Statement, answer: Promise<unknown>): void {
  // A BEGIN that travels with no statement has an empty text. It is the package's own.
  if (text === '') return
  const started = performance.now()
  const statement = { text, durationMillis: 0 }
  const stop = (): void => { statement.durationMillis = performance.now() - started }
  statements.push(statement)
  answers.push(answer.then(stop, stop))
}
