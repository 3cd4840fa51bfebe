import { UsageError } from '../../errors/errors.js'
import { checkCall } from '../../errors/check-call.js'
import { isCount, isPlainObject, oneOf } from '../../runtime/option-checks.js'
import type { OptionChecks } from '../../runtime/option-checks.js'

/** The options of `listQuery` without the types of a table. */
export interface GivenListOptions {
  readonly filterable?: readonly string[] | Readonly<Record<string, readonly string[] | undefined>>
  readonly sortable?: readonly string[]
  readonly searchable?: readonly string[]
  readonly maxLimit?: number
  readonly defaultLimit?: number
  readonly pages?: 'numbered' | 'cursor'
}

const columns = 'must be an array of column names'
const limit = 'must be a whole number from 1'

const known: OptionChecks<GivenListOptions> = {
  filterable: [(value) => isList(value) || (isPlainObject(value) && Object.values(value).every((operators) => operators === undefined || isList(operators))),
    `${columns}, or an object of arrays of operators`],
  sortable: [isList, columns],
  searchable: [isList, columns],
  maxLimit: [isLimit, limit],
  defaultLimit: [isLimit, limit],
  pages: oneOf('numbered', 'cursor')
}

/** @throws UsageError for an unknown option or an invalid value. */
export function checkListOptions (given: GivenListOptions): void {
  checkCall('listQuery()', given, known)
  const { defaultLimit, maxLimit } = given
  if (defaultLimit !== undefined && maxLimit !== undefined && defaultLimit > maxLimit) {
    throw new UsageError('"defaultLimit" of listQuery() is larger than its "maxLimit"')
  }
}

/** Narrows read-only arrays too, which `Array.isArray` does not. */
export function isList (value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

function isLimit (value: unknown): boolean {
  return isCount(value) && value > 0
}
