import { UsageError } from '../errors/errors.js'
import type { Logger } from '../log.js'

/** What is wrong with something that is to be called; undefined where it is a function. */
export function mustBeFunction (fn: unknown, caller: string): UsageError | undefined {
  return typeof fn === 'function' ? undefined : new UsageError(`${caller} takes a function, which it calls by itself: pass it, not what it returns`)
}

/** Work that belongs to the fate of a transaction. */
export type Callback = () => unknown

const moments = ['beforeCommit', 'afterCommit', 'afterRollback'] as const

/** What was asked to happen before the commit, after it, or after a rollback: of a session, or of one scope in it. */
export class Callbacks {
  readonly beforeCommit: Callback[] = []
  readonly afterCommit: Callback[] = []
  readonly afterRollback: Callback[] = []

  /** Hands everything to the scope around, or to another session, whose fate decides from now on. */
  passTo (other: Callbacks): void {
    for (const moment of moments) other[moment].push(...this[moment])
  }

  /** Forgets what was asked first: as much as the other one holds. */
  drop (first: Callbacks): void {
    for (const moment of moments) this[moment].splice(0, first[moment].length)
  }
}

/** Runs callbacks one after the other; the first starts at once. What they throw is logged and changes nothing. */
export async function runAll (callbacks: readonly Callback[], moment: string, logger: Logger): Promise<void> {
  for (const callback of callbacks) {
    try {
      await callback()
    } catch (error) {
      logger.error({ err: error }, `a callback ${moment} failed`)
    }
  }
}
