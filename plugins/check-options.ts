import { isOptions } from '../src/errors/call-options.js'
import { SettingsError } from '../src/settings/settings-error.js'

/** For each option: what it must be where its value cannot be used, else undefined. */
export type OptionChecks<Options> = Record<keyof Options, (value: unknown) => string | undefined>

/** Asks for something of an option's value, in words that follow its name. */
export function must (expected: string, valid: (value: unknown) => boolean): (value: unknown) => string | undefined {
  return (value) => valid(value) ? undefined : `must ${expected}`
}

/** The options of one plugin. */
export interface OptionsOf<Options> {
  readonly name: string
  /** What they are, in words that follow "must be". */
  readonly expected: string
  readonly checks: OptionChecks<Options>
}

/**
 * Checks options; undefined counts as not given.
 *
 * @throws {SettingsError} for what is no object, for a name that is no option, and for a value that cannot be used
 */
export function checkOptions<Options extends object> (options: Options, { name, expected, checks }: OptionsOf<Options>): void {
  if (!isOptions(options)) throw new SettingsError(name, `must be ${expected}`)
  for (const [key, value] of Object.entries(options)) {
    if (!Object.hasOwn(checks, key)) throw new SettingsError(`${name}.${key}`, `is not an option; there are ${Object.keys(checks).join(', ')}`)
    const complaint = value === undefined ? undefined : checks[key as keyof Options](value)
    if (complaint !== undefined) throw new SettingsError(`${name}.${key}`, complaint)
  }
}
