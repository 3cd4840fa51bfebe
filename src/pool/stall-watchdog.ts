/**
 * Detects a network that falls silent in the middle of a statement.
 *
 * PostgreSQL ends a statement that takes too long, but a silent network delivers no error. Keepalive does not notice it while
 * bytes are unacknowledged, nor behind a proxy that still acknowledges them; TCP waits for many minutes. So a statement is
 * overdue when its limit on the server has passed and then no byte arrives for a while. It is cancelled over a second
 * connection, in case the server did not apply the limit; without a response to that, its connection is destroyed.
 * Nothing else is sent over such a connection: a late cancel request must not hit another statement.
 *
 * One coarse timer checks the connections in use: 60 busy ones cost 30 µs a second. A repository's statement costs nothing; for
 * raw SQL, reading whether it changes the limit costs 0.1 µs.
 */
import { countStatements } from '../connection/statement-limit.js'
import { ConnectionError } from '../errors/errors.js'
import type { Connection } from '../connection/connection.js'
import type { CheckedOut } from './checked-out.js'
import type { Pooler } from '../pooler/pooler.js'
import type { Settings } from '../settings/settings.js'

/** How long the network may be silent after the limit: as long as the limit, within these bounds, in milliseconds. */
const silenceMillis = { shortest: 1000, longest: 5000 }

/** How many checks there are in that time. */
const checks = 5

const warning = 'a statement was not answered although its limit has passed and the network is silent: it is cancelled, and its connection given up'

/** The time since which no byte has arrived. */
interface Quiet {
  readonly statement: number
  readonly bytesRead: number
  readonly since: number
}

/** The statement limit that the package has set on the server: always, or with a prelude only. */
interface StatementLimit {
  readonly millis: number
  readonly pooler: Pooler
}

/** The limit from the settings, if any. */
function statementLimit ({ statementTimeoutSeconds, pg }: Settings, pooler: Pooler): StatementLimit | undefined {
  return pg !== undefined || statementTimeoutSeconds === 0 ? undefined : { millis: statementTimeoutSeconds * 1000, pooler }
}

/** Cancels overdue statements, and destroys their connections if they still do not respond. */
export function watchForStalls (checkedOut: CheckedOut, settings: Settings, pooler: Pooler): void {
  const limit = statementLimit(settings, pooler)
  if (limit === undefined) return
  const graceMillis = Math.min(Math.max(limit.millis, silenceMillis.shortest), silenceMillis.longest)
  let quiet = new WeakMap<Connection, Quiet>()
  let checkedAt = -Infinity
  checkedOut.watch(graceMillis / checks, () => {
    const now = performance.now()
    // A process that was blocked has not read either: bytes that arrived meanwhile are still unread.
    if (now - checkedAt > graceMillis / 2) quiet = new WeakMap()
    checkedAt = now
    for (const connection of checkedOut) {
      const silence = isOver(connection, limit, now) ? quietOf(connection, quiet.get(connection), now) : undefined
      if (silence === undefined) quiet.delete(connection)
      else if (now - silence.since < graceMillis) quiet.set(connection, silence)
      else giveUp(connection, graceMillis / 2)
    }
  })
}

/**
 * Whether the server should have ended the running statement. Each statement of a text has the whole limit.
 * The limit does not cover the end of a transaction, for example deferred triggers: `settleTimeoutMillis` does.
 */
function isOver ({ running, isSettling }: Connection, { millis, pooler }: StatementLimit, now: number): boolean {
  if (running === undefined || running.hasOwnLimit || isSettling || (pooler.isThere && !running.inTransaction && !running.isLed)) return false
  return now - running.since > millis * countStatements(running.texts)
}

/** The earlier value while no byte has arrived; else a new one. */
function quietOf ({ bytesRead, running }: Connection, before: Quiet | undefined, now: number): Quiet {
  const statement = Number(running?.since)
  const isSame = before?.statement === statement && before.bytesRead === bytesRead
  return isSame ? before : { statement, bytesRead, since: now }
}

function giveUp (connection: Connection, patienceMillis: number): void {
  const { refusal, caller } = connection
  if (refusal !== undefined) return
  caller.logger.warn({ holder: caller.label }, warning)
  connection.distrust(new ConnectionError('The database did not answer: the connection was given up'))
  const timer = setTimeout(() => connection.destroy(), patienceMillis)
  connection.cancel(patienceMillis)
  connection.idle().then(() => clearTimeout(timer))
}
