import { isOptions } from '../src/runtime/call-options.js'
import { SettingsError } from '../src/errors/settings-error.js'

/** For each option: the complaint about an invalid value, else undefined. */
export type OptionChecks<Options> = Record<keyof Options, (value: unknown) => string | undefined>

/** A check of an option's value; `expected` follows the option's name and "must". */
export function must (expected: string, valid: (value: unknown) => boolean): (value: unknown) => string | undefined {
  return (value) => valid(value) ? undefined : `must ${expected}`
}

/** The options of one plugin. */
export interface OptionsOf<Options> {
  readonly name: string
  /** The expected value, as a text that follows "must be". */
  readonly expected: string
  readonly checks: OptionChecks<Options>
}

/**
 * Checks options; undefined counts as not given.
 *
 * @throws {SettingsError} for a value that is no object, an unknown option, and an invalid value
 */
export function checkOptions<Options extends object> (options: Options, { name, expected, checks }: OptionsOf<Options>): void {
  if (!isOptions(options)) throw new SettingsError(name, `must be ${expected}`)
  for (const [key, value] of Object.entries(options)) {
    if (!Object.hasOwn(checks, key)) throw new SettingsError(`${name}.${key}`, `is not an option; there are ${Object.keys(checks).join(', ')}`)
    const complaint = value === undefined ? undefined : checks[key as keyof Options](value)
    if (complaint !== undefined) throw new SettingsError(`${name}.${key}`, complaint)
  }
}
