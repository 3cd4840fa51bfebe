/**
 * A network that falls silent in the middle of a statement.
 *
 * PostgreSQL ends a statement that takes too long, but a network that is silent keeps its word from us, and TCP waits for
 * many minutes. So a statement is overdue when its limit on the server has passed and then, for a while, no byte of an answer
 * came. It is cancelled over a second connection, in case it was the limit that did not hold; without an answer to that its
 * connection is destroyed. Nothing else is sent over a connection that was given up: the cancel may come late, and must hit
 * nobody else.
 *
 * One coarse timer looks at the connections in use; a statement costs no timer of its own.
 */
import { ConnectionError } from '../errors/errors.js'
import type { Connection } from '../connection/connection.js'
import type { CheckedOut } from './checked-out.js'
import type { Settings } from '../settings/settings.js'

/** How long a network may be silent when the limit has passed: as long as that is, but within these, in milliseconds. */
const silenceMillis = { shortest: 1000, longest: 5000 }

/** How many looks there are in that time. */
const looks = 5

/** When no new byte was seen first. */
interface Quiet {
  readonly statement: number
  readonly bytesRead: number
  readonly since: number
}

/** The limit on the server that is in force because we have set it, in milliseconds: always, or inside a transaction only. */
interface StatementLimit {
  readonly millis: number
  readonly withBegin: boolean
}

/** The limit that the settings set; undefined where they set none. */
function statementLimit ({ statementTimeoutSeconds, preparedStatements, pg }: Settings): StatementLimit | undefined {
  return pg !== undefined || statementTimeoutSeconds === 0 ? undefined : { millis: statementTimeoutSeconds * 1000, withBegin: !preparedStatements }
}

/** Gives up the connections in use whose statement is overdue. */
export function watchForStalls (checkedOut: CheckedOut, settings: Settings): void {
  const limit = statementLimit(settings)
  if (limit === undefined) return
  const graceMillis = Math.min(Math.max(limit.millis, silenceMillis.shortest), silenceMillis.longest)
  let quiet = new WeakMap<Connection, Quiet>()
  let lookedAt = -Infinity
  checkedOut.watch(graceMillis / looks, () => {
    const now = performance.now()
    // A process that stood still has not listened either: what came meanwhile is still to be read.
    if (now - lookedAt > graceMillis / 2) quiet = new WeakMap()
    lookedAt = now
    for (const connection of checkedOut) {
      const sign = isOver(connection, limit, now) ? signOf(connection, quiet.get(connection), now) : undefined
      if (sign === undefined) quiet.delete(connection)
      else if (now - sign.since < graceMillis) quiet.set(connection, sign)
      else giveUp(connection, graceMillis / 2)
    }
  })
}

/**
 * Whether the server should have ended the statement that runs; each statement of one text has the whole limit.
 * That does not hold for what happens at the end of a transaction, deferred triggers say: `settleTimeoutMillis` does.
 */
function isOver ({ running, isSettling }: Connection, { millis, withBegin }: StatementLimit, now: number): boolean {
  if (running === undefined || running.hasOwnLimit || isSettling || (withBegin && !running.inTransaction)) return false
  return now - running.since > millis * running.texts.join(';').split(';').length
}

/** The same sign as before while nothing has come. */
function signOf ({ bytesRead, running }: Connection, before: Quiet | undefined, now: number): Quiet {
  const statement = Number(running?.since)
  const isSame = before?.statement === statement && before.bytesRead === bytesRead
  return isSame ? before : { statement, bytesRead, since: now }
}

function giveUp (connection: Connection, patienceMillis: number): void {
  const { refusal, caller } = connection
  if (refusal !== undefined) return
  caller.logger.warn({ holder: caller.label }, 'a statement was not answered although its limit has passed and the network is silent: it is cancelled, and its connection given up')
  connection.distrust(new ConnectionError('The database did not answer: the connection was given up'))
  const timer = setTimeout(() => connection.destroy(), patienceMillis)
  connection.cancel(patienceMillis)
  connection.idle().then(() => clearTimeout(timer))
}
