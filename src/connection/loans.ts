import type { Connection } from './connection.js'
import type { Borrower } from './waiters.js'

/** A connection in somebody's hands. */
export interface Loan {
  readonly connection: Connection
  readonly borrower: Borrower
  /** When it was handed over, on the clock of `performance.now()`. */
  readonly since: number
}

/** Looks at one loan; `now` is on the clock of `performance.now()`. */
export type Look = (loan: Loan, now: number) => void

/** How often leaks are looked for at most, in milliseconds. */
const leakWatchMillis = 100

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

  /** Looks at each loan now and then, by one coarse timer for all of them that does not keep the process. */
  watch (everyMillis: number, look: Look): void {
    const timer = setInterval(() => {
      const now = performance.now()
      for (const loan of this.#loans) look(loan, now)
    }, everyMillis)
    this.#timers.push(timer.unref())
  }

  /** Tells of each connection once that is held for longer than so many seconds; 0 is never. */
  warnOfLeaks (leakWarningSeconds: number): void {
    if (leakWarningSeconds === 0) return
    const told = new WeakSet<Loan>()
    this.watch(Math.max(leakWarningSeconds * 500, leakWatchMillis), (loan, now) => {
      const heldSeconds = (now - loan.since) / 1000
      if (heldSeconds < leakWarningSeconds || told.has(loan)) return
      told.add(loan)
      const { logger, label } = loan.borrower
      logger.warn({ heldSeconds: Math.round(heldSeconds), holder: label }, 'a database connection is held for long: is a session never closed?')
    })
  }

  /** Ends the watches, and every connection that is still in use; tells who used them. */
  end (): Borrower[] {
    for (const timer of this.#timers) clearInterval(timer)
    const left = [...this.#loans]
    for (const { connection } of left) connection.destroy()
    return left.map(({ borrower }) => borrower)
  }
}
