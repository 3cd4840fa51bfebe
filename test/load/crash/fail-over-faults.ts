import { setTimeout as wait } from 'node:timers/promises'
import { happens } from './faults.js'
import type { Fault, Site } from './faults.js'
import type { Pair } from './pair.js'

/** How long the address leads elsewhere, in milliseconds: some commits are looked up there. */
const astrayMillis = 400

/** How long COMMIT waits for a disconnected standby, in milliseconds. */
const partedMillis = 300

/** How long callers that have lost their connection then look up their COMMIT, in milliseconds. */
const askingMillis = 500

/** The title of the fault in which the address leads to a standby for a moment. */
export const astray = 'answer to COMMIT lost, the address leads to a standby that lags'

/** The title of the fault in which the primary has rows that its standby has not. */
export const unreplicated = 'standby parted, those who wait for it terminated, primary killed (-9), standby takes over'

/** The faults of a primary and its standby behind one address, in their order. */
export function failOverFaults (pair: Pair): readonly Fault[] {
  const takeOver = ({ proxy }: Site): Promise<void> => pair.takeOver((place) => proxy.leadTo(place))
  return [
    {
      title: astray,
      hits: 'network',
      async strike ({ proxy, commit }) {
        await pair.standby.lag()
        proxy.leadTo(pair.standby.connectionString)
        try {
          await happens(proxy.loseAnswer(commit))
          await wait(astrayMillis)
        } finally {
          await pair.standby.catchUp()
          proxy.leadTo(pair.connectionString)
          proxy.cut()
        }
      }
    },
    {
      title: unreplicated,
      hits: 'database',
      async strike (site) {
        await pair.standby.part()
        await wait(partedMillis)
        await pair.terminateWaiting()
        await wait(askingMillis)
        await pair.kill()
        await takeOver(site)
      }
    },
    {
      title: 'primary killed (-9), standby takes over',
      hits: 'database',
      async strike (site) {
        await pair.kill()
        await takeOver(site)
      }
    },
    {
      title: 'answer to COMMIT lost, primary killed (-9), standby takes over',
      hits: 'database',
      async strike (site) {
        await happens(site.proxy.loseAnswer(site.commit))
        await pair.kill()
        await takeOver(site)
      }
    },
    {
      title: 'primary stopped (fast), standby takes over',
      hits: 'database',
      async strike (site) {
        await pair.stopPrimary()
        await takeOver(site)
      }
    },
    {
      title: 'primary silent, then killed (-9), standby takes over',
      hits: 'database',
      async strike (site) {
        site.proxy.silence()
        await pair.kill()
        await takeOver(site)
        await site.proxy.resume()
      }
    },
    { title: 'primary killed (-9) and started again', hits: 'database', strike: () => pair.killPostmaster() },
    {
      title: 'one backend terminated',
      hits: 'database',
      async strike ({ cluster }) {
        const [pid] = await cluster.backends()
        await cluster.query('select pg_terminate_backend($1)', [pid])
      }
    }
  ]
}
