/** How long another process is waited for. */
export const defaultLockTimeoutSeconds = 60

const longestSeconds = (2 ** 31 - 1) / 1000

const limits = {
  lockTimeoutSeconds: { fits: (value: number) => value >= 0 && value <= longestSeconds, must: `a number of seconds from 0 to ${longestSeconds}` },
  statementLockTimeoutSeconds: { fits: (value: number) => value >= 0.001 && value <= longestSeconds, must: `a number of seconds from 0.001 to ${longestSeconds}` },
  lockRetries: { fits: (value: number) => Number.isInteger(value) && value >= 0 && value <= 1000, must: 'a whole number from 0 to 1000' },
  steps: { fits: (value: number) => Number.isInteger(value) && value > 0, must: 'a whole number from 1 on' }
}

/** The options that are numbers. */
export type Limited = keyof typeof limits

/** What an option must be and is not, in words that follow "must be"; undefined when it is well, or not given. */
export function complaint (name: Limited, value: unknown): string | undefined {
  if (value === undefined) return undefined
  const { fits, must } = limits[name]
  return typeof value === 'number' && fits(value) ? undefined : must
}

/** An option that is a number, for the check of a call. */
export function limited (name: Limited): readonly [isFit: (value: unknown) => boolean, words: string] {
  return [(value) => complaint(name, value) === undefined, `must be ${limits[name].must}`]
}
