import { ConnectionError } from '../errors/errors.js'
import { stopReading } from '../pg/client.js'
import { List } from '../runtime/linked-list.js'
import type { Connection } from '../connection/connection.js'

/** How long the delivery of a cancel request may take, in milliseconds. */
export const cancelMillis = 500

/** The checked-out connections. */
export class CheckedOut {
  readonly #checkedOut = new List<Connection>()
  readonly #timers: NodeJS.Timeout[] = []
  /** Those that are destroyed when their cancel requests were delivered. */
  readonly #ending = new WeakSet<Connection>()

  add (connection: Connection): void { connection.checkedOutEntry = this.#checkedOut.add(connection) }

  delete ({ checkedOutEntry }: Connection): void {
    if (checkedOutEntry !== undefined) this.#checkedOut.delete(checkedOutEntry)
  }

  [Symbol.iterator] (): Iterator<Connection> { return this.#checkedOut.all().values() }

  /** Calls a function at an interval. One coarse timer serves all connections, and does not keep the process alive. */
  watch (everyMillis: number, check: () => void): void {
    this.#timers.push(setInterval(check, everyMillis).unref())
  }

  /** The connections that nothing ends yet; COMMIT and ROLLBACK have a limit of their own. */
  get lasting (): Connection[] {
    return this.#checkedOut.all().filter((connection) => !connection.isSettling && !this.#ending.has(connection))
  }

  /**
   * Stops the timers and destroys every checked-out connection that is not running COMMIT or ROLLBACK. Running statements are
   * cancelled, because PostgreSQL notices a lost client only after a statement. A pooler ignores the request of a client that has
   * left, so a connection through one (`isPooled`) is destroyed when its request was delivered. The promises resolve then; none rejects.
   */
  end (cancelMillis: number, isPooled: boolean): Array<Promise<void>> {
    for (const timer of this.#timers) clearInterval(timer)
    return this.lasting.map(async (connection) => {
      const cancelled = connection.cancel(cancelMillis)
      if (isPooled) {
        this.#ending.add(connection)
        connection.distrust(new ConnectionError())
        stopReading(connection.pooled.client)
        await cancelled
      }
      connection.destroy()
      await cancelled
    })
  }

  /** Resolves when every running COMMIT and ROLLBACK has its response, or has reached its own limit. */
  async finished (): Promise<void> {
    await Promise.all(this.#checkedOut.all().filter(({ isSettling }) => isSettling).map((connection) => connection.idle()))
  }
}
