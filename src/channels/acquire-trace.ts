import { acquireChannel } from './channels.js'
import { messageCaller } from './messages.js'
import { begin, finish } from './publish.js'
import { ConnectionError, PoolTimeoutError } from '../errors/errors.js'
import { ignore } from '../runtime/promises.js'
import type { Caller } from '../statement/caller.js'
import type { AcquireMessage, AcquireOutcome, DatabasePlace } from './messages.js'
import type { ServerProcess } from './place.js'

/** A request for a connection, as far as its wait is watched. */
interface Request<Lent> {
  readonly caller: Caller
  readonly lend: (connection: Lent) => void
  readonly refuse: (error: Error) => void
}

/** The pool of a request. */
export interface AcquireCircumstances {
  readonly place: DatabasePlace
  readonly pool: string
  readonly waiting: number
}

/** Publishes the start of a wait; the returned request publishes its end. */
export function traceAcquire<Lent extends { readonly server: ServerProcess }, More> (request: Request<Lent> & More, { place, pool, waiting }: AcquireCircumstances): Request<Lent> & More {
  const { caller, lend, refuse } = request
  const started = performance.now()
  const message: AcquireMessage = { ...place, [messageCaller]: caller, pool, route: caller.label, waiting }
  const ended = (outcome: AcquireOutcome, error?: Error): void => {
    message.waitMillis = performance.now() - started
    message.outcome = outcome
    finish(acquireChannel, message, error)
  }
  begin(acquireChannel, message, ignore)
  return {
    ...request,
    lend: (connection: Lent) => {
      Object.assign(message, connection.server)
      ended('lent')
      lend(connection)
    },
    refuse: (error: Error) => {
      ended(outcomeOf(error), error)
      refuse(error)
    }
  }
}

function outcomeOf (error: Error): AcquireOutcome {
  if (error instanceof PoolTimeoutError) return 'timedOut'
  return error instanceof ConnectionError ? 'failed' : 'cancelled'
}
