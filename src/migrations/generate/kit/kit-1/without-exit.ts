import { AsyncLocalStorage } from 'node:async_hooks'

/** The lines printed so far by the call whose code runs. */
const printing = new AsyncLocalStorage<string[]>()
const { exit } = process
const { log } = console
let running = 0

/** drizzle-kit would have ended the process. */
export class ExitError extends Error {
  /** What it printed. */
  readonly printed: string

  constructor (printed: string) {
    super('drizzle-kit would have ended the process')
    this.printed = printed
  }
}

/**
 * Runs a function of drizzle-kit, which prints errors of a model and ends the process. Code outside the function prints and exits as before.
 *
 * @throws {ExitError} in place of the end of the process
 */
export async function withoutExit<Result> (fn: () => Promise<Result>): Promise<Result> {
  if (running++ === 0) {
    process.exit = (code) => {
      const printed = printing.getStore()
      if (printed === undefined) return exit(code)
      throw new ExitError(printed.join(' '))
    }
    console.log = (...words: unknown[]) => {
      const printed = printing.getStore()
      if (printed === undefined) log(...words)
      else printed.push(words.join(' '))
    }
  }
  try {
    return await printing.run([], fn)
  } finally {
    if (--running === 0) {
      process.exit = exit
      console.log = log
    }
  }
}
