import type { Caller } from '../statement/caller.js'
import type { Observed } from '../statement/statement-observer.js'
import type { LeadingStatement } from '../statement/leading-statement.js'
import type { Statement } from '../statement/statement.js'
import type { ClientState } from './client-state.js'

/** Which statements may be prepared by name. */
export interface NamePolicy {
  /** Whether names are used. */
  readonly prepares: boolean
  /** How many names a connection keeps. */
  readonly mostNames: number
  /** The names that are not used, because a pooler gives them an outdated statement; undefined: none. */
  readonly unnamed?: ReadonlySet<string> | undefined
}

/** What follows from a pooler between this process and PostgreSQL, if there is one. */
export interface PoolerPolicy extends NamePolicy {
  /** The statements that follow BEGIN: the limits, behind a pooler. */
  readonly limits: readonly LeadingStatement[]
  /** The statements in front of one that commits by itself: the limits, behind a pooler. */
  leading (statement: Statement): readonly LeadingStatement[]
  /** A name was refused although PostgreSQL had confirmed it, or had another statement. */
  nameRefused (name: string | undefined, error: Error | undefined): void
}

/** Resolves with the client to be used in place of a lost one, or of one that is not as expected; rejects if none is available. */
export type Replace = (pooled: ClientState) => Promise<ClientState>

/** The pool that a connection is released to. */
export interface ConnectionHome<Lent> {
  readonly pooler: PoolerPolicy
  takeBack (connection: Lent, destroyed: boolean): void
  readonly replace?: Replace
  /** Resolves with the same client when it is known how it is; with another one if it does not answer. */
  readonly prove: Replace
  /** Called for each statement when its response has come: for `echo` and the log of slow statements. */
  observe (caller: Caller, statement: Statement, observed: Observed): void
}
