import { UsageError } from '../errors/errors.js'
import { AsyncContext } from '../runtime/async-context.js'
import { mustBeFunction } from '../errors/check-call.js'
import { Database } from '../database/database.js'
import type { SessionContext } from '../session/session-context.js'
import type { Statement } from '../statement/statement.js'

/** A statement that was asked for. */
export interface CapturedStatement {
  readonly text: string
  /** From the moment in which it was asked for to its answer, in milliseconds; the wait for a connection counts. */
  readonly durationMillis: number
}

/** What a piece of code did. */
export interface Captured<Result> {
  /** What its function resolved with. */
  readonly result: Result
  /** In the order in which they were asked for, those that failed included. */
  readonly statements: CapturedStatement[]
}

interface Capture {
  readonly statements: CapturedStatement[]
  readonly answers: Array<Promise<void>>
  /** The one in whose function this one was started. */
  readonly outer: Capture | undefined
}

const context = new AsyncContext<Capture>()
/** Those that are under way, by what the sessions of a database share. */
const captures = new WeakMap<SessionContext, Set<Capture>>()

/**
 * Runs a function and tells what SQL the repositories, sessions, requests and Drizzle databases of a database sent for it: a
 * guard against a query for each row of a list.
 *
 * What the package adds by itself is not among them (BEGIN, COMMIT, savepoints, settings), so the count is the same in a
 * {@link sandbox}, in a nested transaction, and where BEGIN travels with a statement. A stream counts once, with its first batch. Captures that run at the same time do not mix,
 * and one within another counts in both; what is asked for outside of all (a request over a real socket) counts in each.
 * `database.pool` and `fastify.pg` are not watched.
 *
 * @throws UsageError for what is no database and no function; whatever the function throws
 * @example
 * ```ts
 * const { result, statements } = await captureStatements(server.db, () => server.inject('/articles'))
 * t.equal(statements.length, 2, 'one for the articles, one for all their authors')
 * ```
 */
export async function captureStatements<Result> (database: Database, fn: () => Result | Promise<Result>): Promise<Captured<Result>> {
  if (!(database instanceof Database)) throw new UsageError('captureStatements() takes a database, that of openDatabase() or server.db, and a function')
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
    for (const each of own === undefined ? all : around(own)) if (all.has(each)) note(each, statement, answer)
  }
  return () => {
    all.delete(capture)
    if (all.size === 0) host.watch = undefined
  }
}

function around (capture: Capture): Capture[] {
  return capture.outer === undefined ? [capture] : [capture, ...around(capture.outer)]
}

function note ({ statements, answers }: Capture, { text }: Statement, answer: Promise<unknown>): void {
  // A BEGIN that was asked for by itself has nothing to travel with.
  if (text === '') return
  const started = performance.now()
  const statement = { text, durationMillis: 0 }
  const stop = (): void => { statement.durationMillis = performance.now() - started }
  statements.push(statement)
  answers.push(answer.then(stop, stop))
}
