/** For each option: the test of a value, and the text of the error; undefined always passes. */
export type CallOptions<Options> = Readonly<Record<keyof Options, readonly [isFit: (value: unknown) => boolean, words: string]>>

/** Whether a value is an object of options, not an array, a promise, or another kind of object. */
export function isOptions (value: unknown): value is Record<string, unknown> {
  return Object.prototype.toString.call(value) === '[object Object]'
}

/** What is wrong with the options of a call: no object, an unknown name, or an invalid value; undefined if they are valid. */
export function complaintOf<Options> (call: string, given: unknown, known: CallOptions<Options>): string | undefined {
  if (!isOptions(given)) return `The options of ${call} are an object of ${namesOf(known)}`
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(known, name)) return `Unknown option "${name.slice(0, 63)}" of ${call}: use ${namesOf(known)}`
    const [isFit, words] = known[name as keyof Options] // the line before has checked it
    if (value !== undefined && !isFit(value)) return `"${name}" of ${call} ${words}`
  }
  return undefined
}

function namesOf (known: object): string {
  return Object.keys(known).join(', ')
}

/** Whether a value is a text that is not empty. */
export function isText (value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

/** An option that must be a text. */
export const text = [isText, 'is a text, and not an empty one'] as const

/** An option that must be true or false. */
export const flag = [(value: unknown) => typeof value === 'boolean', 'is true or false'] as const

/** An option that must be a function. */
export const called = [(value: unknown) => typeof value === 'function', 'is a function'] as const

/** An option that must be a number of milliseconds above 0. */
export const millis = [(value: unknown) => typeof value === 'number' && value > 0, 'is a number of milliseconds above 0'] as const
