/** The savepoint of a nested scope; it is sent with the first statement of the scope. */
export interface Savepoint {
  readonly name: string
  readonly outer: Savepoint | undefined
  sent: boolean
}

/** The savepoints that must be sent before a statement in this one, outermost first. */
export function unsent (savepoint: Savepoint | undefined): Savepoint[] {
  return savepoint === undefined || savepoint.sent ? [] : [...unsent(savepoint.outer), savepoint]
}

/** Whether a savepoint is `outer`, or lies inside it. */
export function isWithin (savepoint: Savepoint | undefined, outer: Savepoint): boolean {
  return savepoint !== undefined && (savepoint === outer || isWithin(savepoint.outer, outer))
}

/** Notes that no server has this savepoint and those around it any more. */
export function forget (savepoint: Savepoint | undefined): void {
  for (let each = savepoint; each !== undefined; each = each.outer) each.sent = false
}
