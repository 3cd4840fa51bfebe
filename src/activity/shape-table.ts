import { createHash } from 'node:crypto'
import { clipped } from './clipped.js'
import { Histogram } from './histogram.js'
import type { StatementMessage } from '../channels/messages.js'
import type { Shape } from './activity.js'

/** The most texts that are told apart in a minute. */
const mostShapes = 300

/** The text under which the others are counted. */
const otherStatements = '(other statements)'

/** The most routes that are named for a text. */
const mostRoutes = 10

/** The shapes that a page shows. */
const shownShapes = 20

/** How long the counts of a table are collected, in milliseconds; those of the minute before are kept, too. */
const generationMillis = 60_000

/** The counts of the statements with one text. */
class ShapeCounts {
  readonly routes = new Set<string>()
  readonly times = new Histogram()
  failures = 0
  rows = 0
  totalMillis = 0

  add (message: StatementMessage): void {
    const { route, error, rows = 0, durationMillis = 0 } = message
    this.#name([route])
    this.times.add(durationMillis)
    this.totalMillis += durationMillis
    this.rows += rows
    if (error !== undefined) this.failures++
  }

  addAll ({ routes, times, failures, rows, totalMillis }: ShapeCounts): void {
    this.#name(routes)
    this.times.addAll(times)
    this.failures += failures
    this.rows += rows
    this.totalMillis += totalMillis
  }

  #name (routes: Iterable<string>): void {
    for (const route of routes) if (this.routes.size < mostRoutes) this.routes.add(route)
  }
}

/** Counts statements by their text, over the last one to two minutes, in bounded memory. */
export class ShapeTable {
  #young = new Map<string, ShapeCounts>()
  #old = new Map<string, ShapeCounts>()
  #since = performance.now()

  add (message: StatementMessage): void {
    countsIn(this.#young, clipped(message.text)).add(message)
  }

  /** Forgets what is older than two minutes; call it once a second. */
  age (now: number): void {
    if (now - this.#since < generationMillis) return
    this.#since = now
    this.#old = this.#young
    this.#young = new Map()
  }

  /** The shapes that took the most time, longest first. */
  slowest (): Shape[] {
    const all = new Map<string, ShapeCounts>()
    for (const table of [this.#old, this.#young]) for (const [text, counts] of table) countsIn(all, text).addAll(counts)
    const byTime = [...all].sort(([, one], [, other]) => other.totalMillis - one.totalMillis)
    return byTime.slice(0, shownShapes).map(([text, counts]) => shapeOf(text, counts))
  }
}

function countsIn (table: Map<string, ShapeCounts>, text: string): ShapeCounts {
  const key = table.has(text) || table.size < mostShapes ? text : otherStatements
  const counts = table.get(key) ?? new ShapeCounts()
  table.set(key, counts)
  return counts
}

function shapeOf (text: string, { routes, times, failures, rows, totalMillis }: ShapeCounts): Shape {
  return {
    id: createHash('sha256').update(text).digest('hex').slice(0, 12),
    text,
    routes: [...routes],
    count: times.count,
    failures,
    rows,
    totalMillis,
    p50Millis: times.percentile(0.5),
    p99Millis: times.percentile(0.99),
    longestMillis: times.longest
  }
}
