import { fileURLToPath } from 'node:url'

/** Where in a program a connection was asked for. */
export interface Origin {
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
export class Origins {
  #second = 0
  #taken = 0

  /** The stack of whoever called; undefined when there were too many in this second. */
  here (): Origin | undefined {
    const second = Math.trunc(performance.now() / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#taken = 0
    }
    return this.#taken++ < perSecond ? captureStack() : undefined
  }
}

function captureStack (): Origin {
  const origin: Origin = {}
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = depth
  Error.captureStackTrace(origin, captureStack)
  Error.stackTraceLimit = stackTraceLimit
  return origin
}

const home = new URL('../../', import.meta.url)

/** What the frames of others have in them: the package's own (source maps make paths of URLs), those of Node, and of libraries. */
const places = [...[home.href, fileURLToPath(home)].flatMap((root) => [`${root}src/`, `${root}plugins/`]), 'node:', 'node_modules/', '(<anonymous>)']

/** The frames that are the user's, innermost first; the whole stack where none is. */
export function framesOf ({ stack }: Origin): string {
  const text = String(stack)
  const frames = text.split('\n').slice(1).map((frame) => frame.trim())
  const users = frames.filter((frame) => !places.some((place) => frame.includes(place)))
  return users.length > 0 ? users.join('\n') : text
}
