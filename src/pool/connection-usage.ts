import { framesOf } from '../statement/call-site.js'
import type { Connection } from '../connection/connection.js'
import type { TakenClient } from '../connection/client-state.js'
import type { Caller } from '../statement/caller.js'

/** One connection in use, as the log tells of it. */
export interface ConnectionUsage {
  /** The route, say. */
  readonly holder: string
  readonly heldSeconds: number
  readonly state: string
  /** Where the user's program asked for it. */
  readonly stack: string
}

/** How a client that was taken past the sessions is called. */
export const takenByHand = 'pool.connect()'

/** A session's connection. */
export function usageOf ({ state, caller, since }: Connection): ConnectionUsage {
  return { holder: caller.label, heldSeconds: secondsSince(since), state, stack: stackOf(caller) }
}

/** A client that somebody took from pg's pool. */
export function usageOfTaken ({ client, since }: TakenClient): ConnectionUsage {
  const state = client.getTransactionStatus() === 'I' ? 'no transaction' : 'in a transaction'
  return { holder: takenByHand, heldSeconds: secondsSince(since), state, stack: 'not taken: pg keeps none' }
}

/** Where somebody asked, as far as that is known. */
export function stackOf ({ callSite }: Caller): string {
  return callSite === undefined ? 'not taken: too many others asked in the same second' : framesOf(callSite)
}

function secondsSince (since: number): number {
  return Math.round((performance.now() - since) / 100) / 10
}
