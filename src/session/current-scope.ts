/**
 * Which nested scope a caller is in, however deep its calls go.
 *
 * The context is entered with a session's first nested scope, and left when the last of those sessions is settled: not before,
 * or work that an ended scope left behind would no longer be known as such, and would land in the transaction around it.
 */
import { AsyncContext } from '../runtime/async-context.js'
import type { Scope } from './scope.js'

const context = new AsyncContext<Scope>()

/** The innermost nested scope in whose function the caller runs, of whichever session. */
export function currentScope (): Scope | undefined {
  return context.current
}

/** Says that a session nests; it calls what is returned when it is settled, once. */
export function enterContext (): () => void {
  return context.enter()
}

/** Runs a function so that {@link currentScope} means the given scope in it. */
export function runIn<Result> (scope: Scope, fn: () => Result | Promise<Result>): Promise<Result> {
  return context.run(scope, fn)
}
