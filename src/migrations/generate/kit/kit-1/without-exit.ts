import { AsyncLocalStorage } from 'node:async_hooks'
import { ignore } from '../../../../runtime/promises.js'

/** The texts printed so far by the call whose code runs. */
const printing = new AsyncLocalStorage<string[]>()
let running = 0
let restore = ignore

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
  if (running++ === 0) restore = intercept()
  try {
    return await printing.run([], fn)
  } finally {
    if (--running === 0) restore()
  }
}

/** Replaces `process.exit()` and the output for the calls that run. Returns a function that ends it. */
function intercept (): () => void {
  const { exit, stdout } = process
  const { write } = stdout
  process.exit = (code) => {
    const printed = printing.getStore()
    if (printed === undefined) return exit(code)
    throw new ExitError(printed.join(' '))
  }
  stdout.write = (text: string | Uint8Array, ...rest: unknown[]) => {
    const printed = printing.getStore()
    return printed === undefined ? Reflect.apply(write, stdout, [text, ...rest]) : printed.push(String(text)) > 0
  }
  return () => {
    process.exit = exit
    stdout.write = write
  }
}
