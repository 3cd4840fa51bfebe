/** For each option: its valid values besides undefined, and the words that follow its name for any other value: `must be …`. */
export type OptionChecks<Options> = Readonly<Record<keyof Options, OptionCheck>>

/** The check of one option. */
export type OptionCheck = readonly [isValid: (value: unknown) => boolean, reason: string]

/** A problem with options. */
export interface OptionComplaint {
  /** Undefined if the given value is not an object of options. */
  readonly option: string | undefined
  /** The words that follow the name of the option, or of the given value. */
  readonly reason: string
}

/** The first problem with options: not an object, an unknown name, or an invalid value. The caller throws the error. */
export function findComplaint<Options> (options: unknown, checks: OptionChecks<Options>, kind?: string): OptionComplaint | undefined {
  if (!isOptions(options)) return { option: undefined, reason: `must be ${kind ?? `an object of ${Object.keys(checks).join(', ')}`}` }
  for (const [option, value] of Object.entries(options)) {
    if (!Object.hasOwn(checks, option)) return { option: option.slice(0, 63), reason: notAnOption(Object.keys(checks)) }
    const [isValid, reason] = checks[option as keyof Options] // an own key: the line before checked it
    if (value !== undefined && !isValid(value)) return { option, reason }
  }
  return undefined
}

/** The words for a name that is not an option. */
export function notAnOption (names: readonly string[]): string {
  return `is not an option: use ${names.join(', ')}`
}

/** The complaint about the options of a call, as a sentence. */
export function complaintOf<Options> (call: string, options: unknown, checks: OptionChecks<Options>): string | undefined {
  const complaint = findComplaint(options, checks)
  if (complaint === undefined) return undefined
  const { option, reason } = complaint
  return option === undefined ? `The options of ${call} ${reason}` : `"${option}" of ${call} ${reason}`
}

/** Whether a value is an object of options: not an array, a promise or another built-in object, which would seem to have no options. */
export function isOptions (value: unknown): value is Record<string, unknown> {
  return Object.prototype.toString.call(value) === '[object Object]'
}

/** Whether a value is an object literal, or comes from JSON or a query string: an instance of a class may hide keys behind its prototype. */
export function isPlainObject (value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** Whether a value is a whole number of 0 or more. */
export function isCount (value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

/** Whether a value is a text that is not empty. */
export function isText (value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

/** A name of the program's own: PostgreSQL's settings have no dot. https://www.postgresql.org/docs/current/runtime-config-custom.html */
const ownSettingName = /^[a-z_][\w$]*(?:\.[a-z_][\w$]*)+$/i

/** Whether a value is the name of a setting of the program's own, such as `app.tenant_id`. */
export function isOwnSetting (value: unknown): boolean {
  return typeof value === 'string' && ownSettingName.test(value)
}

/** An option that takes the name of a setting of the program's own. */
export const ownSetting: OptionCheck = [isOwnSetting, 'must be the name of a setting with a dot, such as app.tenant_id']

/** An option that takes every value: its caller checks it. */
export const anything: OptionCheck = [() => true, '']

/** An option that takes a text that is not empty. */
export const text: OptionCheck = [isText, 'must be a text that is not empty']

/** An option that takes a name, or `false` for nothing of that name. */
export const textOrFalse: OptionCheck = [(value) => isText(value) || value === false, 'must be a name, or false']

/** An option that takes true or false. */
export const flag: OptionCheck = [(value) => typeof value === 'boolean', 'must be true or false']

/** An option that takes a function. */
export const called: OptionCheck = [(value) => typeof value === 'function', 'must be a function']

/** An option that takes an object of further options. */
export const object: OptionCheck = [isOptions, 'must be an object']

/** An option that takes a time in milliseconds. */
export const millis: OptionCheck = [(value) => typeof value === 'number' && value > 0, 'must be a number of milliseconds above 0']

/** An option that takes one of several words. */
export function oneOf (...words: readonly string[]): OptionCheck {
  const quoted = words.map((word) => `'${word}'`)
  return [(value) => words.some((word) => word === value), `must be ${[quoted.slice(0, -1).join(', '), quoted.at(-1)].join(' or ')}`]
}

/** An option that takes a whole number, or null. */
export function wholeNumberOrNull (least: number, most: number): OptionCheck {
  const [isWhole, words] = wholeNumber(least, most)
  return [(value) => value === null || isWhole(value), `${words}, or null`]
}

/** An option that takes a whole number. */
export function wholeNumber (least: number, most: number): OptionCheck {
  return [(value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most, `must be a whole number from ${least} to ${most}`]
}
