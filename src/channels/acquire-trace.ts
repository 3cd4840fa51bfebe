import { acquireChannel } from './channels.js'
import { messageCaller } from './messages.js'
import { setServer } from './place.js'
import { begin, finish } from './publish.js'
import { ConnectionError, PoolTimeoutError } from '../errors/errors.js'
import { ignore } from '../runtime/promises.js'
import type { Caller } from '../statement/caller.js'
import type { AcquireMessage, AcquireOutcome, DatabasePlace } from './messages.js'
import type { ServerProcess } from './place.js'

/** A request for a connection, as far as its wait is watched. */
interface Request<Lent> {
  readonly caller: Caller
  readonly mayWait?: boolean | undefined
  lend (connection: Lent): void
  refuse (error: Error): void
}

/** The pool of a request. */
export interface AcquireCircumstances {
  readonly place: DatabasePlace
  readonly pool: string
  readonly waiting: number
}

/** A request whose wait is told: its start by the constructor, its end by whichever function is called. */
export class TracedRequest<Lent extends { readonly server: ServerProcess }> implements Request<Lent> {
  readonly caller: Caller
  readonly mayWait: boolean | undefined
  readonly #request: Request<Lent>
  readonly #message: AcquireMessage
  readonly #started = performance.now()

  constructor (request: Request<Lent>, { place: { database, namespace, serverAddress, serverPort }, pool, waiting }: AcquireCircumstances) {
    const { caller } = request
    this.caller = caller
    this.mayWait = request.mayWait
    this.#request = request
    this.#message = {
      database,
      namespace,
      serverAddress,
      serverPort,
      [messageCaller]: caller,
      pool,
      route: caller.label,
      waiting,
      waitMillis: undefined,
      outcome: undefined,
      processId: undefined,
      error: undefined,
      sqlState: undefined
    }
    begin(acquireChannel, this.#message, ignore)
  }

  lend (connection: Lent): void {
    setServer(this.#message, connection.server)
    this.#ended('lent')
    this.#request.lend(connection)
  }

  refuse (error: Error): void {
    this.#ended(outcomeOf(error), error)
    this.#request.refuse(error)
  }

  #ended (outcome: AcquireOutcome, error?: Error): void {
    this.#message.waitMillis = performance.now() - this.#started
    this.#message.outcome = outcome
    finish(acquireChannel, this.#message, error)
  }
}

function outcomeOf (error: Error): AcquireOutcome {
  if (error instanceof PoolTimeoutError) return 'timedOut'
  return error instanceof ConnectionError ? 'failed' : 'cancelled'
}
