import type { PgTable } from 'drizzle-orm/pg-core'
import type { StatementRunner } from '../../statement/statement.js'
import type { AnyRow } from '../table/answers.js'
import type { Filter, Key } from '../types/filters.js'

/** Which rows a write is for, as its method was told: the one with a primary key, or those of a filter. */
export type Affected<T extends PgTable> =
  | { readonly id: Key<T>, readonly filter?: undefined }
  | { readonly filter: Filter<T>, readonly id?: undefined }

/** How rows are deleted. */
export interface Deletion {
  /** True when they are gone for good; false for `softDelete()`, which `restore()` can undo. */
  readonly final: boolean
}

/** {@link Affected}, before the types of a table are put on. */
export type AnyAffected = { readonly id: unknown } | { readonly filter: unknown }

/** The hooks of a repository, before the types of its table are put on. */
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

/** Which hooks a class has. */
export type HookNames = ReadonlySet<HookName>

/** The hooks of one repository. */
export interface ClassHooks {
  readonly names: HookNames
  /** The same repository in another session, for its hooks to be called on. */
  in (session: StatementRunner): LifecycleHooks
}

const every: readonly HookName[] = ['beforeCreate', 'beforeUpdate', 'beforeDelete', 'afterCreate', 'afterUpdate', 'afterDelete']

/** The hooks that a class, or one that it extends, has instead of those of the base, which do nothing; undefined when there are none. */
export function hooksOf (prototype: object, base: object): HookNames | undefined {
  const names = every.filter((name) => Reflect.get(prototype, name) !== Reflect.get(base, name))
  return names.length === 0 ? undefined : new Set(names)
}
