/** Where in a program a connection was asked for. */
export interface CallSite {
  /** As V8 keeps it: text is made of it when it is read. */
  readonly stack?: unknown
}

/** How deep a stack is kept: up to 15 of the frames are the package's own. */
const depth = 24

/** How many stacks are taken within a second at most. */
const perSecond = 100

/**
 * Takes stacks, so that a leak can be found, at a price that nobody feels.
 *
 * One costs about 15 µs, where a short transaction costs 150 µs of Node's time: too much for each. A hundred a second cost
 * less than 0.2 % of a processor, whatever the load. A server below that rate has the stack of every leak; one above it has
 * those of some, and of more and more of them as leaks take its connections and slow it down.
 */
export class CallSites {
  #second = 0
  #taken = 0

  /** The stack of whoever called; undefined when there were too many in this second. */
  here (): CallSite | undefined {
    const second = Math.trunc(performance.now() / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#taken = 0
    }
    return this.#taken++ < perSecond ? captureStack() : undefined
  }
}

function captureStack (): CallSite {
  const callSite: CallSite = {}
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = depth
  Error.captureStackTrace(callSite, captureStack)
  Error.stackTraceLimit = stackTraceLimit
  return callSite
}

/** This file, as a stack shows it: a URL, or a path where source maps are on. */
const ownFile = /(?:\(|at )(?:file:\/\/)?(\S+)src\/statement\/call-site\.[jt]s:\d/

/**
 * What has the frames in it that are not the program's: those of Node, of libraries, and of the package, which is found by a
 * stack of its own. In a bundle it has no files, and `import.meta.url` would be empty in one that is CommonJS.
 */
export function foreignPlaces (ownStack: string): string[] {
  const home = ownFile.exec(ownStack)?.[1]
  const others = ['node:', 'node_modules/', '(<anonymous>)']
  return home === undefined ? others : [`${home}src/`, `${home}plugins/`, ...others]
}

const places = foreignPlaces(String(new Error().stack))

/** The frames that are the user's, innermost first; the whole stack where none is. */
export function framesOf ({ stack }: CallSite): string {
  const text = String(stack)
  const frames = text.split('\n').slice(1).map((frame) => frame.trim())
  const users = frames.filter((frame) => !places.some((place) => frame.includes(place)))
  return users.length > 0 ? users.join('\n') : text
}
