import { setTimeout as wait } from 'node:timers/promises'
import type { Fault, Site } from './faults.js'
import type { Load } from './load.js'

/** What has struck so far. */
export class Toll {
  /** How often each fault has struck. */
  readonly struck = new Map<string, number>()
  /** What found nothing to strike, and why. */
  readonly missed: string[] = []
  /** How long after something was back the first request was served that was sent then, in milliseconds. */
  readonly recoveries: Record<Fault['hits'], number[]> = { database: [], network: [], subject: [] }
  /** After which faults nobody was served for longer than anybody waits. */
  readonly neverRecovered: string[] = []

  get total (): number { return [...this.struck.values()].reduce((sum, count) => sum + count, 0) }
}

/** The longest wait for somebody to be served again, in milliseconds. */
const patienceMillis = 15_000

/** The shortest and the longest peace between two faults, in milliseconds. */
const peaceMillis = { from: 150, to: 450 }

/** Lets faults strike one after the other, in order and again and again, as long as `goesOn` says so. */
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
