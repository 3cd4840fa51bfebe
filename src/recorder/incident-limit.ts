import type { Incident } from '../activity/activity.js'

/** The most files in one period, whatever happens in it. */
const mostInPeriod = 10

/** Incidents of a whole pool: which of its requests notice them first is chance. */
const ofPool: ReadonlySet<Incident['kind']> = new Set(['pool time-out'])

/** Decides which incidents are written: of one kind and route one in a period, because a file shows the whole period, and few in all. */
export class IncidentLimit {
  readonly #periodMillis: number
  /** When the latest one was written, by kind and route. */
  readonly #written = new Map<string, number>()

  constructor (periodMillis: number) {
    this.#periodMillis = periodMillis
  }

  /** Whether an incident is written. The answer counts. */
  admits ({ kind, route }: Pick<Incident, 'kind' | 'route'>, now: number): boolean {
    for (const [key, at] of this.#written) if (now - at >= this.#periodMillis) this.#written.delete(key)
    const key = ofPool.has(kind) ? kind : `${kind} ${route}`
    if (this.#written.has(key) || this.#written.size >= mostInPeriod) return false
    this.#written.set(key, now)
    return true
  }
}
