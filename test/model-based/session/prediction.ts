/** The visible results of one session: predicted by the interpreter, and reported by a real run. */
import type { SessionOutcome } from '../../../src/index.js'

/** A row's key and value. */
export type Rows = ReadonlyMap<number, number>

/** Names of callbacks in the order in which they began and, if they are slow, ended. */
export type Calls = readonly string[]

export interface Sight {
  /** The answer to each step, by its place in the program: `ok`, the rows that it read, or the class of its error. */
  readonly answers: ReadonlyMap<string, string>
  readonly rows: Rows
  readonly outcome: SessionOutcome
  readonly beforeCommit: Calls
  readonly afterCommit: Calls
}

export interface Prediction extends Omit<Sight, 'outcome'> {
  /** Several outcomes are possible if a statement was pending when everything was undone: it may or may not have got a connection. */
  readonly outcomes: readonly SessionOutcome[]
  /** One list for each scope that was undone, each in order; the order of the lists is not specified. */
  readonly afterRollback: readonly Calls[]
}

/** An answer that depends on timing. */
export const anything = '*'

/** The rows at the start. */
export const baseRows: Rows = new Map([[0, 0], [1, 0]])

/** `insertTwo` also writes the key this far above its own. */
export const secondKeyOffset = 12

/** The value that a step writes: a different number for each place in a program. */
export function valueAt (path: string): number {
  let hash = 7
  for (const char of path) hash = (hash * 31 + char.charCodeAt(0)) % 1_000_003
  return hash
}

/** Rows as an answer. */
export function show (rows: Rows): string {
  return Array.from(rows, ([key, value]) => `${key}=${value}`).sort().join(' ')
}
