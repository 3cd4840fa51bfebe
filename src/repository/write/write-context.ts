import type { StatementRunner } from '../../statement/statement.js'
import type { AnyRow } from '../table/answers.js'
import { givenValues } from './column-values.js'
import { allOf } from '../filter/condition.js'
import type { Condition } from '../filter/condition.js'
import type { ClassHooks, HookName, LifecycleHooks } from './lifecycle-hooks.js'
import { keyCondition } from '../filter/key-condition.js'
import type { TableStatements } from '../table/table-statements.js'
import type { Writable } from './writable-columns.js'

/** What the writes of one repository stand on. */
export interface WriteContext {
  readonly table: TableStatements
  readonly session: StatementRunner
  /** Which rows the repository sees. */
  readonly seen: Condition
  /** What its callers may write. @defaultValue every column */
  readonly writable?: Writable | undefined
  /** What its class wants to be asked and told. @defaultValue nothing */
  readonly hooks?: ClassHooks | undefined
}

/** One write under way. */
export interface WriteStep {
  /** Where its statements run: the session of the repository, or a scope inside it where there are hooks. */
  readonly session: StatementRunner
  /** Undefined where the class has no hook for this write. */
  readonly hooks: LifecycleHooks | undefined
}

/**
 * Runs a write. Where the class has hooks for it, everything happens in a nested scope, the hooks' own statements included, so that
 * a hook that throws undoes the write. Otherwise it happens as it is, and its first statement leaves at once: the order of calls is kept.
 */
export function writing<Result> ({ session, hooks }: WriteContext, names: readonly HookName[], write: (step: WriteStep) => Promise<Result>): Promise<Result> {
  if (hooks === undefined || !names.some((name) => hooks.names.has(name))) return write({ session, hooks: undefined })
  return session.transaction((scope) => write({ session: scope, hooks: hooks.in(scope) }))
}

/** The values that the caller gave. @throws ValidationError for a key that is not to be written by it */
export function acceptedValues ({ table, writable }: WriteContext, values: unknown): AnyRow {
  return givenValues(values, table, writable)
}

/** The values as a hook wants them: those that it returns, or those that it was given. It may write whatever can be written. */
export async function runBeforeHook (given: Readonly<AnyRow>, table: TableStatements, hook: (values: AnyRow) => unknown): Promise<AnyRow> {
  const own = { ...given }
  return givenValues(await hook(own) ?? own, table)
}

/** The condition for the row of a primary key, if the repository sees it. */
export function keyed ({ table, seen }: WriteContext, id: unknown): Condition {
  return allOf([keyCondition(id, table), seen])
}
