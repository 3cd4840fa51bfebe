/** What can be seen of one session from outside: the interpreter foretells it, a real run reports it. */
import type { SessionOutcome } from '../../../src/index.js'

/** A row's key and value. */
export type Rows = ReadonlyMap<number, number>

/** Names of callbacks in the order in which they began and, where they take their time, ended. */
export type Calls = readonly string[]

export interface Sight {
  /** How each step was answered, by its place in the program: `ok`, what it read, or the class of its error. */
  readonly answers: ReadonlyMap<string, string>
  readonly rows: Rows
  readonly outcome: SessionOutcome
  readonly beforeCommit: Calls
  readonly afterCommit: Calls
}

export interface Prediction extends Omit<Sight, 'outcome'> {
  /** Where a statement was on its way when all was undone, it may have got a connection or not. */
  readonly outcomes: readonly SessionOutcome[]
  /** One list for each scope that was undone, each in order; which of the lists comes first is nobody's promise. */
  readonly afterRollback: readonly Calls[]
}

/** For what hangs on who is faster. */
export const anything = '*'

/** Rows that are there before. */
export const baseRows: Rows = new Map([[0, 0], [1, 0]])

/** `insertTwo` writes this many keys further, too. */
export const secondKeyOffset = 12

/** What a step writes: another number for each place in a program. */
export function valueAt (path: string): number {
  let hash = 7
  for (const char of path) hash = (hash * 31 + char.charCodeAt(0)) % 1_000_003
  return hash
}

/** Rows as an answer. */
export function show (rows: Rows): string {
  return Array.from(rows, ([key, value]) => `${key}=${value}`).sort().join(' ')
}
