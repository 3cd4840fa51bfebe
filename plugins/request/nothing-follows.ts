import { setImmediate as turn } from 'node:timers/promises'
import { TransactionClosedError } from '../../src/errors/errors.js'
import type { SessionUnit } from '../../src/session/session-unit.js'

const tooEarly = 'A stream was sent while a statement of its request was still to be done: nothing was saved. Await every statement before the stream is sent, or let the transaction live as long as the stream, with transaction.commit: \'atEnd\''

/**
 * Resolves if a request that has sent a stream runs no more statements. A handler that goes on sends its next statement in the
 * same turn of the event loop. The session is then rolled back, because only half of the handler's work would be committed.
 *
 * @throws {TransactionClosedError} if a statement is running, is waiting, or is called in this turn
 */
export async function requireNothingFollows (session: SessionUnit): Promise<void> {
  const { asked } = session
  await turn()
  if (!session.isBusy && session.asked === asked) return
  const error = new TransactionClosedError(tooEarly)
  session.abort(error)
  throw error
}
