import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { UsageError, ValidationError } from '../../errors/errors.js'
import { about } from '../../values/encode-value.js'
import { holdsNumbers } from '../../values/number-types.js'
import type { ColumnCodec } from '../../values/column-codec.js'

/** An amount that PostgreSQL adds to a column; made by {@link increment}. */
export class Increment<out N = unknown> {
  readonly #by: N

  constructor (by: N) {
    this.#by = by
  }

  /** The amount. */
  get by (): N { return this.#by }
}

/**
 * Adds to a column instead of replacing its value, in `update`, `updateOrThrow` and `updateMany`. PostgreSQL computes the sum, so
 * concurrent increments are not lost. A negative amount subtracts; NULL stays NULL.
 *
 * @throws UsageError, from the methods, for a column that holds no numbers; ValidationError for an amount that is not a finite
 * number, and for a sum out of range.
 * @example
 * ```ts
 * await request.repo(posts).update(1, { views: increment(1) })
 * ```
 */
export function increment<const N extends number | bigint | string> (by: N): Increment<N extends number ? number : N extends bigint ? bigint : string> {
  return new Increment(by) as Increment<never> // the conditional type decides the kind of number
}

/**
 * The increment with its amount encoded for PostgreSQL.
 *
 * @throws UsageError and ValidationError as {@link increment} says.
 */
export function encodeIncrement (codec: ColumnCodec, { by }: Increment): Increment {
  if (!holdsNumbers(codec.column)) throw new UsageError(`Column "${codec.key}" holds no numbers and cannot be incremented`, about(codec))
  if (!isAmount(by)) throw new ValidationError(`Column "${codec.key}" can be incremented by a finite number only`, about(codec))
  return new Increment(String(by)) // PostgreSQL reads it as a number of the column's type
}

/** NaN is refused: every later sum would be NaN too. */
function isAmount (by: unknown): boolean {
  const isNumber = typeof by === 'number' || typeof by === 'bigint' || (typeof by === 'string' && by.trim() !== '')
  return isNumber && Number.isFinite(Number(by))
}

/** The sum, as PostgreSQL computes it. */
export function sumOf ({ column }: ColumnCodec, { by }: Increment): SQL {
  return sql`${column} + ${sql.param(by)}`
}
