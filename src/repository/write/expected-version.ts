import { checkPlainCall } from '../../errors/check-call.js'
import { StaleRowError, UsageError, ValidationError } from '../../errors/errors.js'
import type { Condition } from '../filter/condition.js'
import { anything, isCount } from '../../runtime/option-checks.js'
import type { ColumnCodec } from '../../values/column-codec.js'

/** The version that a row must have to be changed. */
export interface Expected {
  readonly codec: ColumnCodec
  readonly version: number
}

interface VersionedTable {
  readonly name: string
  readonly version: ColumnCodec | undefined
}

/**
 * Reads the expected version from the options of an update; undefined for any version.
 *
 * @throws UsageError for an unknown option and for a table without `version()`, ValidationError for an invalid version.
 */
export function expectedVersion (options: unknown, { name, version: codec }: VersionedTable): Expected | undefined {
  if (options === undefined) return undefined
  checkPlainCall('an update', options, { expectedVersion: anything })
  if (!Object.hasOwn(options, 'expectedVersion')) return undefined
  if (codec === undefined) throw new UsageError('"expectedVersion" needs a table with ...version() among its columns', { context: { table: name } })
  // A version missing from a request must not mean "any".
  const version = options['expectedVersion']
  if (!isCount(version)) throw new ValidationError('"expectedVersion" is the version that was read with the row, a whole number')
  return { codec, version }
}

/** The condition that the row still has the version. */
export function unchangedSince ({ codec, version }: Expected): Condition {
  return { kind: 'test', codec, test: 'eq', operands: [version] }
}

/** The error for a row with another version. */
export function staleRow ({ codec }: Expected): StaleRowError {
  return new StaleRowError(undefined, { context: { operation: 'update', table: codec.table, columns: [codec.key] } })
}
