import type { PgTable } from 'drizzle-orm/pg-core'
import type { Repository } from './repository.js'
import type { ColumnKey, Others, WritableOptions } from './types/filters.js'

/** Methods that take values, and so depend on what may be written. */
type ValueMethod = 'create' | 'createMany' | 'upsert' | 'upsertMany' | 'getOrCreate' | 'update' | 'updateOrThrow' | 'updateMany'

/** Methods that give the same repository again. */
interface SameAgain<R, T extends PgTable, W extends ColumnKey<T>, O extends Others> {
  withDeleted (): WritableRepository<R, T, W, O>
  onlyDeleted (): WritableRepository<R, T, W, O>
  writable<const K extends W, D extends Others = 'refuse'> (keys: readonly K[], options?: WritableOptions<D>): WritableRepository<R, T, K, D>
}

/** A repository, or an instance of a repository class, whose callers may write the columns `W` only. */
export type WritableRepository<R, T extends PgTable, W extends ColumnKey<T>, O extends Others> =
  Omit<R, ValueMethod | keyof SameAgain<R, T, W, O>> & Pick<Repository<T, W, O>, ValueMethod> & SameAgain<R, T, W, O>
