/**
 * Promotions under load: `npm run test:failover`, with `-- --turns 12` for more, `-- --seed 7` for another order of events.
 *
 * A primary is killed, stopped, or made read-only, and its standby is promoted; with synchronous and asynchronous replication,
 * and with both servers in the URL or one address that is switched. Exits with 1 if a promise was broken.
 */
import { parseArgs } from 'node:util'
import { failoverRun } from './failover-run.js'
import type { FailoverResult } from './failover-run.js'

const { values } = parseArgs({ options: { turns: { type: 'string', default: '6' }, seed: { type: 'string', default: '1' } } })
process.on('SIGINT', () => process.exit(130))
process.on('SIGTERM', () => process.exit(143))

let isBroken = false
for (const replication of ['asynchronous', 'synchronous'] as const) {
  for (const way of ['hosts', 'address'] as const) {
    const result = await failoverRun({ way, replication, turns: Number(values.turns), seed: Number(values.seed) })
    console.log(`${replication}, ${way === 'hosts' ? 'both servers in the URL' : 'one address that is switched'}: ${describe(result)}`)
    const { ghosts, halves, lost, findings, unreplicated, servedAfter, closedInOrder } = result
    const broken = [...ghosts, ...halves, ...lost, ...findings, ...replication === 'synchronous' ? unreplicated : []]
    for (const name of broken) console.error(`BROKEN: ${name}`)
    isBroken ||= broken.length > 0 || servedAfter.includes(undefined) || !closedInOrder
  }
}
process.exit(isBroken ? 1 : 0)

function describe ({ acknowledged, refused, unknown, ghosts, halves, lost, unreplicated, findings, servedAfter, closedInOrder }: FailoverResult): string {
  const times = servedAfter.map((millis) => millis === undefined ? 'never' : `${Math.round(millis)} ms`).join(', ')
  return [
    `${servedAfter.length} promotions`,
    `${acknowledged} acknowledged, ${refused} refused, ${unknown} unknown`,
    `ghosts ${ghosts.length}, halves ${halves.length}, lost ${lost.length}, acknowledged but never on the standby ${unreplicated.length}, seen broken ${findings.length}`,
    `served again after ${times}`,
    closedInOrder ? 'closed in order' : 'NOT CLOSED IN ORDER'
  ].join('; ')
}
