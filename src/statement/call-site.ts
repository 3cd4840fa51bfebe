/** The place in a program that requested a connection. */
export interface CallSite {
  /** V8's stack; it becomes text when it is read. */
  readonly stack?: unknown
}

/** The number of frames that are kept; up to 15 of them are the package's own. */
const depth = 24

/** The most stacks that are taken in a second. */
const perSecond = 100

/**
 * Takes stacks, so that a leak can be found, at a negligible cost.
 *
 * A stack costs about 15 µs; a short transaction costs 150 µs of Node's time, so one for each would be too much. A hundred a
 * second cost less than 0.2 % of a processor at any load. A server below that rate has the stack of every leak. A server above
 * it has some, and more and more of them as leaks take its connections and slow it down.
 */
export class CallSites {
  #second = 0
  #taken = 0

  /** The caller's stack; undefined if there were too many in this second. */
  here (): CallSite | undefined {
    const second = Math.trunc(performance.now() / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#taken = 0
    }
    return this.#taken++ < perSecond ? captureStack() : undefined
  }
}

/** The caller's stack, whatever its cost. */
export function captureStack (): CallSite {
  const callSite: CallSite = {}
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = depth
  Error.captureStackTrace(callSite, captureStack)
  Error.stackTraceLimit = stackTraceLimit
  return callSite
}

/** This file as a stack shows it, alone or in a bundle of the published package: a URL, or a path if source maps are on. */
const ownFile = /(?:\(|at )(?:file:\/\/)?(\S+)src\/(?:statement\/call-site\.[jt]s|chunks\/data-access-\w+\.js):\d/

/**
 * The path prefixes of frames that are not the program's: Node's, libraries', and the package's own, taken from
 * `ownStack`. A bundle of the program has no such files, and if it is CommonJS `import.meta.url` would be empty.
 */
export function foreignPlaces (ownStack: string): string[] {
  const home = ownFile.exec(ownStack)?.[1]
  const others = ['node:', 'node_modules/', '(<anonymous>)']
  return home === undefined ? others : [`${home}src/`, `${home}plugins/`, ...others]
}

const places = foreignPlaces(String(new Error().stack))

/** The program's own frames, innermost first; the whole stack if there is none. */
export function framesOf ({ stack }: CallSite): string {
  const text = String(stack)
  const frames = text.split('\n').slice(1).map((frame) => frame.trim())
  const users = frames.filter((frame) => !places.some((place) => frame.includes(place)))
  return users.length > 0 ? users.join('\n') : text
}
