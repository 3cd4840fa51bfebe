import type { Entry, Journal } from '../crash/journal.js'
import type { Queried } from '../crash/verdict.js'

/** What became of the jobs. Each list names orders for which a promise was broken. */
export interface Verdict {
  /** Acknowledged, but without its row or its effect. */
  readonly lost: string[]
  /** Refused, undone or rolled back, but with a row, a delivery or an effect. */
  readonly ghosts: string[]
  /** A row without its effect, or a delivery without a row. */
  readonly halves: string[]
  /** An effect that happened more than once. */
  readonly twice: string[]
  /** Delivered by jobs of more than one id. */
  readonly otherIds: string[]
  /** How many events were handled. */
  readonly handled: number
  /** How many were delivered more than once, by the same job. */
  readonly deliveredAgain: number
}

/** Operations that never leave a row, whatever their reply. */
const neverKept = new Set(['refused', 'dry', 'swallowed'])

/** Compares the replies to clients with orders, deliveries and effects; no job may be left. */
export async function judge (database: Queried, { entries }: Journal): Promise<Verdict> {
  const orders = new Set((await database.query<{ id: number }>('select id from orders')).map(({ id }) => id))
  const counted = await database.query<{ id: number, n: number }>('select id, count(*)::int as n from effects group by id')
  const effects = new Map(counted.map(({ id, n }) => [id, n]))
  const deliveries = await database.query<{ id: number, n: number, jobs: number }>(
    'select id, count(*)::int as n, count(distinct job)::int as jobs from deliveries group by id')
  const delivered = new Set(deliveries.map(({ id }) => id))
  const isThere = ({ id }: Entry): boolean => orders.has(id) || delivered.has(id) || effects.has(id)
  const pick = (isSo: (entry: Entry) => boolean): string[] =>
    entries.filter(isSo).map(({ id, operation: { kind }, fate, reason }) => `${kind} ${id} (${fate}: ${reason})`)
  const named = (ids: Iterable<number>): string[] => Array.from(ids, String)
  return {
    lost: pick((entry) => entry.fate === 'acknowledged' && !neverKept.has(entry.operation.kind) && !(orders.has(entry.id) && effects.has(entry.id))),
    ghosts: [
      ...pick((entry) => (entry.fate === 'refused' || neverKept.has(entry.operation.kind)) && isThere(entry)),
      ...named([...delivered].filter((id) => id < 0))
    ],
    halves: [...named([...orders].filter((id) => !effects.has(id))), ...named([...delivered, ...effects.keys()].filter((id) => !orders.has(id)))],
    twice: named([...effects].filter(([, n]) => n !== 1).map(([id]) => id)),
    otherIds: named(deliveries.filter(({ jobs }) => jobs !== 1).map(({ id }) => id)),
    handled: effects.size,
    deliveredAgain: deliveries.filter(({ n }) => n > 1).length
  }
}
