/**
 * Which nested scope a caller is in, however deep its calls go.
 *
 * On Node 20 an AsyncLocalStorage slows every promise of the process once it is entered. So it is entered with a session's first
 * nested scope, and left when the last of those sessions is settled: not before, or work that an ended scope left behind would
 * no longer be known as such, and would land in the transaction around it.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Scope } from './scope.js'

const storage = new AsyncLocalStorage<Scope>()
let sessions = 0

/** The innermost nested scope in whose function the caller runs, of whichever session. */
export function currentScope (): Scope | undefined {
  return sessions === 0 ? undefined : storage.getStore()
}

/** Says that a session nests; it calls what is returned when it is settled, once. */
export function enterContext (): () => void {
  sessions++
  return () => { if (--sessions === 0) storage.disable() }
}

/** Runs a function so that {@link currentScope} means the given scope in it. */
export async function runIn<Result> (scope: Scope, fn: () => Result | Promise<Result>): Promise<Result> {
  return await storage.run(scope, fn)
}
