import { List } from '../runtime/linked-list.js'
import type { Connection } from '../connection/connection.js'

/** The connections that are in use. */
export class CheckedOut {
  readonly #checkedOut = new List<Connection>()
  readonly #timers: NodeJS.Timeout[] = []

  add (connection: Connection): void { connection.checkedOutEntry = this.#checkedOut.add(connection) }

  delete ({ checkedOutEntry }: Connection): void {
    if (checkedOutEntry !== undefined) this.#checkedOut.delete(checkedOutEntry)
  }

  [Symbol.iterator] (): Iterator<Connection> { return this.#checkedOut.all().values() }

  /** Looks at the loans now and then, by one coarse timer for all of them that does not keep the process. */
  watch (everyMillis: number, look: () => void): void {
    this.#timers.push(setInterval(look, everyMillis).unref())
  }

  /** Those that do not end by themselves within a limit of their own. */
  get lasting (): Connection[] { return this.#checkedOut.all().filter(({ isSettling }) => !isSettling) }

  /**
   * Ends the watches, and every connection in use that does not end by itself; what runs on one is cancelled, because PostgreSQL
   * notices only behind a statement that its client is gone. The promises are those of the cancels; none rejects.
   */
  end (cancelMillis: number): Array<Promise<void>> {
    for (const timer of this.#timers) clearInterval(timer)
    return this.lasting.map((connection) => {
      const cancelled = connection.cancel(cancelMillis)
      connection.destroy()
      return cancelled
    })
  }

  /** Resolves when every COMMIT and ROLLBACK under way has its answer, or was given up by its own limit. */
  async finished (): Promise<void> {
    await Promise.all(this.#checkedOut.all().filter(({ isSettling }) => isSettling).map((connection) => connection.idle()))
  }
}
