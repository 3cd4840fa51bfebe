/**
 * Random programs over sessions: everything that a user may do with them, in every order with a predictable end.
 *
 * Results that depend on timing are left out, or made certain. A nested scope that is left open waits until its session has ended. Calls that are
 * not awaited are awaited at the end of their function, if one of them is a nested scope.
 */
import fc from 'fast-check'
import type { TransactionOptions } from '../../../src/index.js'

/** One statement. `key` names a row of the session's own; rows 0 and 1 exist from the start. */
export type StatementStep =
  | { readonly run: 'create' | 'update' | 'delete' | 'insert' | 'insertTwo' | 'orphan', readonly key: number }
  | { readonly run: 'read' | 'failingRead' | 'select' | 'divide' | 'divideText' | 'unsendable' }
  | { readonly run: 'endTransaction', readonly text: EndingText }

/** Statements that end the transaction without the session's methods. */
export const endingTexts = ['commit', 'rollback', 'end', 'abort', 'commit; begin', 'rollback; begin', 'commit and chain', 'rollback and chain'] as const
export type EndingText = typeof endingTexts[number]

export type Moment = 'beforeCommit' | 'afterCommit' | 'afterRollback'

/** The work of a callback: nothing, a pause, an error, a write, or a write whose failure it swallows. */
export type CallbackKind = 'note' | 'slow' | 'throw' | 'write' | 'tryToWrite'

/** The ways to end a session by hand. */
export type Ending = 'commit' | 'rollback' | 'close' | 'abort'

/** `via`: the scope that the function received, or the session, which must have the same effect. */
export type Step =
  | { readonly do: 'statement', readonly statement: StatementStep, readonly awaited: boolean, readonly via: 'scope' | 'session' }
  | { readonly do: 'scope', readonly body: Body, readonly awaited: boolean, readonly via: 'scope' | 'session' }
  | { readonly do: 'callback', readonly moment: Moment, readonly kind: CallbackKind, readonly via: 'scope' | 'session' }
  | { readonly do: 'rollbackOnly', readonly via: 'scope' | 'session' }
  /** Writes over the database, besides the session. */
  | { readonly do: 'alone', readonly key: number }
  | { readonly do: 'end', readonly how: Ending }
  | { readonly do: 'kill' }

/** A function that receives a scope. */
export interface Body {
  readonly steps: readonly Step[]
  readonly throws: boolean
  /** A nested scope that is still open when the function ends. */
  readonly leavesOpen: Body | undefined
}

export interface SessionProgram {
  /** Made by hand, or by `database.session(fn)` or `.transaction(fn)`, which end it. */
  readonly way: 'createSession' | 'session' | 'transaction'
  readonly options: TransactionOptions
  readonly body: Body
  /** For `createSession`: each is called when the earlier ones are done, or all of them at once. */
  readonly endings: readonly Ending[]
  readonly endsInParallel: boolean
}

/** An interruption from outside, after a number of turns of the event loop. */
export interface Interruption {
  readonly what: 'kill' | 'abort'
  readonly afterTurns: number
}

export interface Program {
  /** Run concurrently, each with rows of its own. */
  readonly sessions: readonly SessionProgram[]
  /** Whether they share a pool of two connections. */
  readonly isPoolSmall: boolean
  readonly interruption: Interruption | undefined
}

/** Whether a function awaits all its calls before it ends: if an unawaited call is a nested scope, or commits even if its scope is undone meanwhile. */
export function isJoined ({ steps }: Body): boolean {
  return steps.some((step) => (step.do === 'scope' || (step.do === 'statement' && step.statement.run === 'endTransaction')) && !step.awaited)
}

const key = fc.nat({ max: 11 })
const via = fc.constantFrom('scope' as const, 'session' as const)
const mostly = fc.integer({ min: 0, max: 3 }).map((number) => number > 0)
const rarely = fc.integer({ min: 0, max: 5 }).map((number) => number === 5)

const statement: fc.Arbitrary<StatementStep> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({ run: fc.constantFrom('create' as const, 'update' as const, 'delete' as const, 'insert' as const, 'insertTwo' as const), key })
  },
  { weight: 1, arbitrary: fc.record({ run: fc.constant('orphan' as const), key }) },
  { weight: 4, arbitrary: fc.record({ run: fc.constantFrom('read' as const, 'select' as const) }) },
  { weight: 3, arbitrary: fc.record({ run: fc.constantFrom('failingRead' as const, 'divide' as const, 'divideText' as const, 'unsendable' as const) }) },
  { weight: 1, arbitrary: fc.record({ run: fc.constant('endTransaction' as const), text: fc.constantFrom(...endingTexts) }) }
)

const ending = fc.constantFrom<Ending[]>('commit', 'commit', 'rollback', 'close', 'abort')

const simpleStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 14, arbitrary: fc.record({ do: fc.constant('statement' as const), statement, awaited: mostly, via }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('callback' as const),
      moment: fc.constantFrom<Moment[]>('beforeCommit', 'afterCommit', 'afterRollback'),
      kind: fc.constantFrom<CallbackKind[]>('note', 'note', 'slow', 'throw', 'write', 'tryToWrite'),
      via
    })
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rollbackOnly' as const), via }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('alone' as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('end' as const), how: ending }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('kill' as const) }) }
)

function bodyOf (step: fc.Arbitrary<Step>, maxLength: number): fc.Arbitrary<Body> {
  const steps = fc.array(step, { maxLength, size: 'max' })
  const open = fc.record({ steps: fc.array(simpleStep, { maxLength: 3, size: 'max' }), throws: rarely, leavesOpen: fc.constant(undefined) })
  return fc.record({ steps, throws: rarely, leavesOpen: fc.oneof({ weight: 12, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: open }) })
}

function stepWith (body: fc.Arbitrary<Body>): fc.Arbitrary<Step> {
  return fc.oneof(
    { weight: 3, arbitrary: simpleStep },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('scope' as const), body, awaited: mostly, via }) }
  )
}

const innermost = bodyOf(simpleStep, 4)
const middle = bodyOf(stepWith(innermost), 5)
const nested = bodyOf(stepWith(middle), 5)

const options: fc.Arbitrary<TransactionOptions> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  {
    weight: 3,
    arbitrary: fc.constantFrom<TransactionOptions[]>(
      { begin: 'firstWrite' }, { begin: 'firstQuery' }, { isolationLevel: 'read committed' }, {
        isolationLevel: 'repeatable read'
      }, { isolationLevel: 'serializable' }, { resolveCommits: true })
  }
)

const session: fc.Arbitrary<SessionProgram> = fc.record({
  way: fc.constantFrom('createSession', 'createSession', 'session', 'transaction'),
  options,
  body: bodyOf(stepWith(nested), 8),
  endings: fc.oneof(
    { weight: 4, arbitrary: fc.constant<Ending[]>(['commit']) },
    { weight: 2, arbitrary: fc.array(ending, { minLength: 1, maxLength: 3 }) },
    { weight: 1, arbitrary: fc.constant<Ending[]>(['commit', 'abort']) }
  ),
  endsInParallel: fc.boolean()
})

const interruption: fc.Arbitrary<Interruption | undefined> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.record({ what: fc.constantFrom('kill' as const, 'abort' as const), afterTurns: fc.nat({ max: 60 }) }) }
)

export const programs: fc.Arbitrary<Program> = fc.record({
  sessions: fc.oneof({ weight: 3, arbitrary: fc.array(session, { minLength: 1, maxLength: 1 }) }, {
    weight: 1, arbitrary: fc.array(session, { minLength: 2, maxLength: 4 })
  }),
  isPoolSmall: fc.boolean(),
  interruption
}).map(withoutChance)

/** Removes the steps of a program whose result is unpredictable. */
function withoutChance ({ sessions, isPoolSmall, interruption }: Program): Program {
  const few = interruption === undefined ? sessions : sessions.slice(0, 1)
  return {
    isPoolSmall,
    interruption,
    sessions: few.map((session) => certain(session, { isAlone: few.length === 1, isPoolSmall, hasInterruption: interruption !== undefined }))
  }
}

interface Company {
  readonly isAlone: boolean
  readonly isPoolSmall: boolean
  readonly hasInterruption: boolean
}

function certain (session: SessionProgram, company: Company): SessionProgram {
  const { isolationLevel } = session.options
  const body = certainBody(session.body, { ...company, isTop: true, mayEnd: true })
  return {
    ...session,
    // Sessions of serializable transactions may collide although none touches another's rows.
    options: isolationLevel === 'serializable' && !company.isAlone ? {} : session.options,
    body: { ...body, leavesOpen: body.leavesOpen !== undefined && writesBeforeCommit(body) ? undefined : body.leavesOpen }
  }
}

function certainBody (body: Body, place: Company & { readonly isTop: boolean, readonly mayEnd: boolean }): Body {
  const steps = body.steps.filter((step) => mayStay(step, place)).map((step): Step => {
    if (step.do === 'scope') return { ...step, body: certainBody(step.body, { ...place, isTop: false, mayEnd: place.mayEnd && step.awaited }) }
    // A callback after the rollback of a scope is not awaited, so the time of its write would be random.
    return step.do === 'callback' && step.moment === 'afterRollback' && /write/i.test(step.kind) ? { ...step, kind: 'note' } : step
  })
  const { leavesOpen } = body
  const isOpen = leavesOpen !== undefined && !place.hasInterruption
  return { ...body, steps, leavesOpen: isOpen ? certainBody(leavesOpen, { ...place, isTop: false, mayEnd: false }) : undefined }
}

function mayStay (step: Step, { isTop, mayEnd, isPoolSmall, hasInterruption }: Company & { readonly isTop: boolean, readonly mayEnd: boolean }): boolean {
  switch (step.do) {
    // A commit from inside a scope that it waits for is refused, or depends on timing.
    case 'end': return mayEnd && !hasInterruption && (isTop || step.how !== 'commit')
    case 'kill': return !hasInterruption
    // A session that holds a connection and waits for another may wait for ever.
    case 'alone': return !isPoolSmall && !hasInterruption
    case 'statement': return !(hasInterruption && step.statement.run === 'endTransaction')
    default: return true
  }
}

/** Such a write would wait for the scope that was left open. */
function writesBeforeCommit ({ steps, leavesOpen }: Body): boolean {
  return steps.some((step) => (step.do === 'callback' && step.moment === 'beforeCommit' && /write/i.test(step.kind)) ||
    (step.do === 'scope' && writesBeforeCommit(step.body))) ||
    (leavesOpen !== undefined && writesBeforeCommit(leavesOpen))
}
