import { setImmediate as turn } from 'node:timers/promises'
import { TransactionClosedError } from '../../src/errors/errors.js'
import type { Session } from '../../src/session/session.js'

/**
 * Resolves when a request that has sent a stream is seen to be done with its session: a handler that goes on with a statement
 * does so in the same turn. Otherwise the session is undone, since only half of what the handler does would be kept.
 *
 * @throws {TransactionClosedError} when a statement runs, waits, or comes in this turn
 */
export async function seeNothingFollow (session: Session): Promise<void> {
  const { asked } = session
  await turn()
  if (!session.isBusy && session.asked === asked) return
  const error = new TransactionClosedError('A stream was sent while a statement of its request was still to be done: nothing was saved. Await every statement before the stream is sent, or let the transaction live as long as the stream, with transaction.commit: \'atEnd\'')
  session.abort(error)
  throw error
}
