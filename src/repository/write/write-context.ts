import type { StatementRunner } from '../../statement/statement.js'
import type { AnyRow } from '../table/answers.js'
import { givenValues } from './column-values.js'
import type { ReadContext } from '../read/read-context.js'
import type { ClassHooks, HookName, LifecycleHooks } from './lifecycle-hooks.js'
import type { TableStatements } from '../table/table-statements.js'
import type { Writable } from './writable-columns.js'

/** The parts of a repository that its writes need. */
export interface WriteContext extends ReadContext {
  /** The columns that callers may write. @defaultValue every column */
  readonly writable?: Writable | undefined
  /** The hooks of its class. @defaultValue none */
  readonly hooks?: ClassHooks | undefined
}

/** One running write. */
export interface WriteStep {
  /** Runs its statements: the session of the repository, or with hooks a scope inside it. */
  readonly session: StatementRunner
  /** Undefined if the class has no hook for this write. */
  readonly hooks: LifecycleHooks | undefined
}

/**
 * Runs a write. If the class has hooks for it, the write and the statements of its hooks run in a nested scope, so that a hook that
 * throws undoes the write. Otherwise it runs directly, and its first statement is sent at once: the order of calls is kept.
 */
export function writing<Result> ({ session, hooks }: WriteContext, names: readonly HookName[], write: (step: WriteStep) => Promise<Result>): Promise<Result> {
  if (hooks === undefined || !names.some((name) => hooks.names.has(name))) return write({ session, hooks: undefined })
  return session.transaction((scope) => write({ session: scope, hooks: hooks.on(scope) }))
}

/** The given values, checked. @throws ValidationError for a key that the caller may not write */
export function acceptedValues ({ table, writable }: WriteContext, values: unknown): AnyRow {
  return givenValues(values, table, writable)
}

/** Calls the hook and returns its values, or the given ones if it returns nothing. A hook may write any writable column. */
export async function runBeforeHook (given: Readonly<AnyRow>, table: TableStatements, hook: (values: AnyRow) => unknown): Promise<AnyRow> {
  const own = { ...given }
  return givenValues(await hook(own) ?? own, table)
}
