/** The savepoint of a nested scope, sent with the first statement that runs in it. */
export interface Savepoint {
  readonly name: string
  readonly outer: Savepoint | undefined
  sent: boolean
}

/** Which savepoints have to be sent before a statement in the last of them, in their order. */
export function unsent (savepoint: Savepoint | undefined): Savepoint[] {
  return savepoint === undefined || savepoint.sent ? [] : [...unsent(savepoint.outer), savepoint]
}

/** Whether a savepoint is the other one, or lies inside it. */
export function isWithin (savepoint: Savepoint | undefined, outer: Savepoint): boolean {
  return savepoint !== undefined && (savepoint === outer || isWithin(savepoint.outer, outer))
}
