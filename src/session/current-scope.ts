import { AsyncLocalStorage } from 'node:async_hooks'
import type { Scope } from './scope.js'

const storage = new AsyncLocalStorage<Scope>()
let open = 0

/** The innermost nested scope in whose function the caller runs, of whichever session. */
export function currentScope (): Scope | undefined {
  return open === 0 ? undefined : storage.getStore()
}

/**
 * Runs a function so that {@link currentScope} means the given scope in it, however deep its calls go.
 *
 * On Node 20 an AsyncLocalStorage slows every promise of the process once it is entered, so it is left when the last scope ends.
 */
export async function runIn<Result> (scope: Scope, fn: () => Result | Promise<Result>): Promise<Result> {
  open++
  try {
    return await storage.run(scope, fn)
  } finally {
    if (--open === 0) storage.disable()
  }
}
