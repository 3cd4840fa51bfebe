import type { Logger } from '../runtime/logger.js'

/** Work that runs before or after the end of a transaction. */
export type Callback = () => unknown

const moments = ['beforeCommit', 'afterCommit', 'afterRollback'] as const

/** The list of all sessions without callbacks, which most are: it stays empty. */
const none: Callback[] = []

/** The callbacks of a session, or of one scope in it. */
export class Callbacks {
  beforeCommit = none
  afterCommit = none
  afterRollback = none

  add (moment: typeof moments[number], callback: Callback): void {
    if (this[moment] === none) this[moment] = [callback]
    else this[moment].push(callback)
  }

  /** Moves all callbacks to the outer scope, or to another session. */
  passTo (other: Callbacks): void {
    for (const moment of moments) other[moment] = [...other[moment], ...this[moment]]
  }

  /** Drops the first callbacks: as many as `first` holds. */
  drop (first: Callbacks): void {
    for (const moment of moments) this[moment] = this[moment].slice(first[moment].length)
  }
}

/** Runs callbacks one after the other; the first starts at once. Their errors are logged and change nothing. */
export async function runAll (callbacks: readonly Callback[], moment: string, logger: Logger): Promise<void> {
  for (const callback of callbacks) {
    try {
      await callback()
    } catch (error) {
      logger.error({ err: error }, `a callback ${moment} failed`)
    }
  }
}
