import { defaultName } from '../../src/settings/database-name.js'
import type { Session } from '../../src/session/session.js'
import type { RetryState } from '../../src/session/session-work.js'
import type { SessionGroup } from '../../src/session/session-group.js'

/** The callbacks and `rollbackOnly()` that the next attempt takes over from hooks, by the name of the database. */
export type RetryStates = ReadonlyMap<string, RetryState>

/** The sessions of a request. */
interface Sessions {
  readonly session: Session
  readonly group: SessionGroup | undefined
}

/** The callbacks and `rollbackOnly()` of each session so far. */
export function retryStatesOf (sessions: Sessions | undefined): RetryStates {
  return new Map(Array.from(byName(sessions), ([name, session]) => [name, session.retryState()]))
}

/** Drops the callbacks that the next attempt takes over. */
export function dropCallbacks (sessions: Sessions, states: RetryStates): void {
  for (const [name, session] of byName(sessions)) session.dropCallbacks(states.get(name))
}

function byName (sessions: Sessions | undefined): ReadonlyMap<string, Session> {
  if (sessions === undefined) return new Map()
  return sessions.group?.sessions ?? new Map([[defaultName, sessions.session]])
}
