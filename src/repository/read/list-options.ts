import { UsageError } from '../../errors/errors.js'
import { isCount, isPlainObject } from '../../runtime/option-checks.js'

/** The options of `listQuery` without the types of a table. */
export interface GivenListOptions {
  readonly filterable?: readonly string[] | Readonly<Record<string, readonly string[] | undefined>>
  readonly sortable?: readonly string[]
  readonly searchable?: readonly string[]
  readonly maxLimit?: number
  readonly defaultLimit?: number
  readonly pages?: 'numbered' | 'cursor'
}

const columns = 'takes an array of column names'
const limit = 'is a whole number from 1'

/** What each option may be, apart from undefined, and the words for anything else. */
const options: Readonly<Record<keyof GivenListOptions, readonly [isFit: (value: unknown) => boolean, words: string]>> = {
  filterable: [(value) => isList(value) || (isPlainObject(value) && Object.values(value).every((operators) => operators === undefined || isList(operators))),
    `${columns}, or an object of arrays of operators`],
  sortable: [isList, columns],
  searchable: [isList, columns],
  maxLimit: [isLimit, limit],
  defaultLimit: [isLimit, limit],
  pages: [(value) => value === 'numbered' || value === 'cursor', "is 'numbered' or 'cursor'"]
}

/** @throws UsageError for an option that does not exist, or is not what it can be. */
export function checkListOptions (given: GivenListOptions): void {
  checkNames(given)
  const { defaultLimit, maxLimit } = given
  if (defaultLimit !== undefined && maxLimit !== undefined && defaultLimit > maxLimit) throw new UsageError('"defaultLimit" of listQuery() is larger than its "maxLimit"')
}

function checkNames (given: unknown): void {
  const names = Object.keys(options).join(', ')
  if (!isPlainObject(given)) throw new UsageError(`The options of listQuery() are an object of ${names}`)
  for (const [name, value] of Object.entries(given)) {
    if (!isOption(name)) throw new UsageError(`Unknown option "${name.slice(0, 63)}" of listQuery(): use ${names}`)
    const [isFit, words] = options[name]
    if (value !== undefined && !isFit(value)) throw new UsageError(`"${name}" of listQuery() ${words}`)
  }
}

function isOption (name: string): name is keyof GivenListOptions {
  return Object.hasOwn(options, name)
}

/** Also one that is read only, of which `Array.isArray` does not tell. */
export function isList (value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

function isLimit (value: unknown): boolean {
  return isCount(value) && value > 0
}
