import { leading, type LeadingStatement } from '../../statement/leading-statement.js'

/** The savepoint of a nested scope. It is set with the first statement of the scope, and released with the first one after it. */
export interface Savepoint {
  readonly name: string
  readonly outer: Savepoint | undefined
  sent: boolean
  /** Whether the user's own SQL inside it may have released it. */
  isInDoubt: boolean
}

/** A change of the savepoints, sent in front of a statement. */
interface Step {
  readonly lead: LeadingStatement
  /** It was made. */
  readonly done: () => void
}

/** The savepoints of one transaction. */
export class Savepoints {
  /** The savepoint of a scope that was kept, which is still there. COMMIT and a rollback around it need no release. */
  #due: Savepoint | undefined

  /** What must be sent before a statement of a scope. */
  stepsTo (scope: Savepoint | undefined): readonly Step[] {
    const due = this.#due
    const opening = unsent(scope).map(set)
    return due === undefined ? opening : [{ lead: leading(releaseOf(due)), done: () => { this.#due = undefined } }, ...opening]
  }

  /** A scope is kept. Whether its savepoint must be released now: then only PostgreSQL knows whether it is still there. */
  keep (scope: Savepoint): boolean {
    if (!scope.sent) return false
    this.#due = scope.isInDoubt ? undefined : scope
    return scope.isInDoubt
  }

  /** A scope is rolled back, and those inside it with it. Whether there is something to undo. */
  undo (scope: Savepoint): boolean {
    if (scope.sent) this.#due = undefined
    return scope.sent
  }
}

function set (savepoint: Savepoint): Step {
  return { lead: leading(`savepoint ${savepoint.name}`), done: () => { savepoint.sent = true } }
}

/** Releases a savepoint, and those inside it. */
export function releaseOf ({ name }: Savepoint): string { return `release savepoint ${name}` }

/** The savepoints that must be sent before a statement in this one, outermost first. */
function unsent (savepoint: Savepoint | undefined): Savepoint[] {
  return savepoint === undefined || savepoint.sent ? [] : [...unsent(savepoint.outer), savepoint]
}

/** SQL that may release a savepoint. */
const releasing = /release|rollback/i

/** The user's own SQL runs in a scope. */
export function doubt (scope: Savepoint | undefined, sql: string): void {
  if (!releasing.test(sql)) return
  for (let each = scope; each !== undefined; each = each.outer) each.isInDoubt = true
}

/** Whether a savepoint is `outer`, or lies inside it. */
export function isWithin (savepoint: Savepoint | undefined, outer: Savepoint): boolean {
  return savepoint !== undefined && (savepoint === outer || isWithin(savepoint.outer, outer))
}

/** Notes that no server has this savepoint and those around it any more. */
export function forget (savepoint: Savepoint | undefined): void {
  for (let each = savepoint; each !== undefined; each = each.outer) each.sent = false
}
