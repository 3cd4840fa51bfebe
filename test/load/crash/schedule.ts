import { setTimeout as wait } from 'node:timers/promises'
import type { Fault, Site } from './faults.js'
import type { Load } from './load.js'

/** The faults so far. */
export class Toll {
  /** How often each fault has struck. */
  readonly struck = new Map<string, number>()
  /** The faults that found nothing to strike, with their reasons. */
  readonly missed: string[] = []
  /** The times from the return of a part to the first success of a request sent since then, in milliseconds. */
  readonly recoveries: Record<Fault['hits'], number[]> = { database: [], network: [], subject: [] }
  /** The faults after which no request was served in time. */
  readonly neverRecovered: string[] = []

  get total (): number { return [...this.struck.values()].reduce((sum, count) => sum + count, 0) }
}

/** The longest wait for the first served request, in milliseconds. */
const patienceMillis = 15_000

/** The shortest and the longest pause between two faults, in milliseconds. */
const peaceMillis = { from: 150, to: 450 }

/** Lets faults strike one after the other, in order and repeatedly, while `goesOn` returns true. */
export async function strikeAll (
  faults: readonly Fault[],
  site: Site,
  { load, toll, goesOn }: { load: Load, toll: Toll, goesOn: (turn: number) => boolean }
): Promise<void> {
  for (let turn = 0; goesOn(turn); turn++) {
    const fault = faults[turn % faults.length]
    if (fault === undefined) return
    await wait(peaceMillis.from + site.random.below(peaceMillis.to - peaceMillis.from))
    await strike(fault, site, { load, toll })
  }
}

async function strike (fault: Fault, site: Site, { load, toll }: { load: Load, toll: Toll }): Promise<void> {
  const { title, hits } = fault
  try {
    await fault.strike(site)
    toll.struck.set(title, (toll.struck.get(title) ?? 0) + 1)
  } catch (error) {
    toll.missed.push(`${title}: ${(error as Error).message}`)
  }
  await site.cluster.back()
  const back = performance.now()
  const served = await load.nextSuccess(patienceMillis)
  if (served === undefined) toll.neverRecovered.push(title)
  else toll.recoveries[hits].push(served - back)
}
