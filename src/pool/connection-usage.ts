import { framesOf } from '../statement/call-site.js'
import type { Connection } from '../connection/connection.js'
import type { TakenClient } from '../connection/client-state.js'
import type { Caller } from '../statement/caller.js'

/** One connection in use, for the log. */
export interface ConnectionUsage {
  /** For example the route. */
  readonly holder: string
  readonly heldSeconds: number
  readonly state: string
  /** Where the program requested it. */
  readonly stack: string
}

/** The name of a client that was checked out by `pool.connect()`. */
export const takenByHand = 'pool.connect()'

/** The usage of a session's connection. */
export function usageOf ({ state, caller, since }: Connection): ConnectionUsage {
  return { holder: caller.label, heldSeconds: secondsSince(since), state, stack: stackOf(caller) }
}

/** The usage of a client that was checked out by `pool.connect()`. */
export function usageOfTaken ({ client, since }: TakenClient): ConnectionUsage {
  const state = client.getTransactionStatus() === 'I' ? 'no transaction' : 'in a transaction'
  return { holder: takenByHand, heldSeconds: secondsSince(since), state, stack: 'not taken: pg keeps none' }
}

/** The usages of both. */
export function usagesOf (lent: Iterable<Connection>, taken: Iterable<TakenClient>): ConnectionUsage[] {
  return [...Array.from(lent, usageOf), ...Array.from(taken, usageOfTaken)]
}

/** Where a caller requested a connection, as far as that is known. */
export function stackOf ({ callSite }: Caller): string {
  return callSite === undefined ? 'not taken: too many others asked in the same second' : framesOf(callSite)
}

function secondsSince (since: number): number {
  return Math.round((performance.now() - since) / 100) / 10
}
