import { List } from './list.js'
import type { Connection } from './connection.js'

/** The connections that are in use. */
export class Loans {
  readonly #loans = new List<Connection>()
  readonly #timers: NodeJS.Timeout[] = []

  add (connection: Connection): void { connection.loan = this.#loans.add(connection) }

  delete ({ loan }: Connection): void {
    if (loan !== undefined) this.#loans.delete(loan)
  }

  [Symbol.iterator] (): Iterator<Connection> { return this.#loans.all().values() }

  /** Looks at the loans now and then, by one coarse timer for all of them that does not keep the process. */
  watch (everyMillis: number, look: () => void): void {
    this.#timers.push(setInterval(look, everyMillis).unref())
  }

  /** Ends the watches, and every connection that is still in use; tells whose they were. */
  end (): Connection[] {
    for (const timer of this.#timers) clearInterval(timer)
    const left = this.#loans.all()
    for (const connection of left) connection.destroy()
    return left
  }
}
