import { connectionCount, connectionMax, idleMax, idleMin, pendingRequests } from './figures.js'
import { Totals } from './totals.js'
import { openPools } from '../channels/open-pools.js'
import type { OpenPool } from '../channels/open-pools.js'
import type { Attributes } from './attributes.js'
import type { ObservedFigure } from './figures.js'

type Counts = ReturnType<OpenPool['counts']>

/** Each figure of a pool: the attributes that it has beside the pool's name, and its value. */
const values = new Map<ObservedFigure, (counts: Counts) => Array<[value: number, attributes?: Attributes]>>([
  [connectionCount, ({ idle, inUse }) => [[idle, { 'db.client.connection.state': 'idle' }], [inUse, { 'db.client.connection.state': 'used' }]]],
  [connectionMax, ({ max }) => [[max]]],
  [idleMin, ({ size }) => [[size]]],
  [idleMax, ({ max }) => [[max]]],
  [pendingRequests, ({ waiting }) => [[waiting]]]
])

/** The figures of the open pools at this moment. Pools of the same name are one. */
export function observePools (): Map<ObservedFigure, Totals> {
  const pools = Array.from(openPools, ({ pool, counts }) => ({ name: { 'db.client.connection.pool.name': pool }, counts: counts() }))
  return new Map(Array.from(values, ([figure, valuesOf]) => {
    const totals = new Totals()
    for (const { name, counts } of pools) {
      for (const [value, attributes] of valuesOf(counts)) totals.add({ ...name, ...attributes }, value)
    }
    return [figure, totals]
  }))
}
