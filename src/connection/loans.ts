import type { Connection } from './connection.js'
import type { Borrower } from './waiters.js'

/** A connection in somebody's hands. */
export interface Loan {
  readonly connection: Connection
  readonly borrower: Borrower
  /** When it was handed over, on the clock of `performance.now()`. */
  readonly since: number
}

/** The connections that are in use. */
export class Loans {
  readonly #loans = new Set<Loan>()
  readonly #timers: NodeJS.Timeout[] = []

  add (connection: Connection, borrower: Borrower): Loan {
    const loan = { connection, borrower, since: performance.now() }
    this.#loans.add(loan)
    return loan
  }

  delete (loan: Loan): void {
    this.#loans.delete(loan)
  }

  [Symbol.iterator] (): Iterator<Loan> { return this.#loans.values() }

  /** Looks at the loans now and then, by one coarse timer for all of them that does not keep the process. */
  watch (everyMillis: number, look: () => void): void {
    this.#timers.push(setInterval(look, everyMillis).unref())
  }

  /** Ends the watches, and every connection that is still in use; tells whose they were. */
  end (): Loan[] {
    for (const timer of this.#timers) clearInterval(timer)
    const left = [...this.#loans]
    for (const { connection } of left) connection.destroy()
    return left
  }
}
