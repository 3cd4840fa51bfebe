import type { PgTable } from 'drizzle-orm/pg-core'
import type { StatementRunner } from '../../statement/statement.js'
import type { AnyRow } from '../table/answers.js'
import type { Filter, Key } from '../types/filters.js'

/** The rows of a write: the one with a primary key, or those of a filter. */
export type Affected<T extends PgTable> =
  | { readonly id: Key<T>, readonly filter?: undefined }
  | { readonly filter: Filter<T>, readonly id?: undefined }

/** How rows are deleted. */
export interface Deletion {
  /** True for permanent deletion; false for `softDelete()`, which `restore()` can undo. */
  readonly final: boolean
}

/** {@link Affected} without the types of a table. */
export type AnyAffected = { readonly id: unknown } | { readonly filter: unknown }

/** The hooks of a repository without the types of its table. */
export interface LifecycleHooks {
  beforeCreate (values: AnyRow): unknown
  beforeUpdate (values: AnyRow, which: AnyAffected): unknown
  beforeDelete (which: AnyAffected, deletion: Deletion): unknown
  afterCreate (row: AnyRow): unknown
  afterUpdate (row: AnyRow): unknown
  afterDelete (row: AnyRow, deletion: Deletion): unknown
}

/** The name of a hook. */
export type HookName = keyof LifecycleHooks

/** The hooks that a class has. */
export type HookNames = ReadonlySet<HookName>

/** The hooks of one repository. */
export interface ClassHooks {
  readonly names: HookNames
  /** Returns the same repository in another session; its hooks run there. */
  on (session: StatementRunner): LifecycleHooks
}

const every: readonly HookName[] = ['beforeCreate', 'beforeUpdate', 'beforeDelete', 'afterCreate', 'afterUpdate', 'afterDelete']

/** The hooks that a class or its parents override; undefined if there are none. The hooks of the base class do nothing. */
export function hooksOf (prototype: object, base: object): HookNames | undefined {
  const names = every.filter((name) => Reflect.get(prototype, name) !== Reflect.get(base, name))
  return names.length === 0 ? undefined : new Set(names)
}
