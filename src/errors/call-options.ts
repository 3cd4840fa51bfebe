/** For each option: what it may be, apart from undefined, and the words for anything else. */
export type CallOptions<Options> = Readonly<Record<keyof Options, readonly [isFit: (value: unknown) => boolean, words: string]>>

/** Whether something is an object of options: neither a list, a promise nor something of another kind, whose keys would be none. */
export function isOptions (value: unknown): value is Record<string, unknown> {
  return Object.prototype.toString.call(value) === '[object Object]'
}

/** What is wrong with the options of a call: no object, a name that is none, a value that cannot be; undefined where nothing is. */
export function complaintOf<Options> (call: string, given: unknown, known: CallOptions<Options>): string | undefined {
  if (!isOptions(given)) return `The options of ${call} are an object of ${namesOf(known)}`
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(known, name)) return `Unknown option "${name.slice(0, 63)}" of ${call}: use ${namesOf(known)}`
    const [isFit, words] = known[name as keyof Options] // as the line before has found
    if (value !== undefined && !isFit(value)) return `"${name}" of ${call} ${words}`
  }
  return undefined
}

function namesOf (known: object): string {
  return Object.keys(known).join(', ')
}

/** Whether something is a text, and not an empty one. */
export function isText (value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

/** An option that is a text. */
export const text = [isText, 'is a text, and not an empty one'] as const

/** An option that is true or false. */
export const flag = [(value: unknown) => typeof value === 'boolean', 'is true or false'] as const

/** An option that is called. */
export const called = [(value: unknown) => typeof value === 'function', 'is a function'] as const

/** An option that is a time of more than nothing. */
export const millis = [(value: unknown) => typeof value === 'number' && value > 0, 'is a number of milliseconds above 0'] as const
