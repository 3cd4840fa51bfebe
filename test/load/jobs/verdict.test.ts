import t from 'tap'
import { Journal } from '../crash/journal.js'
import { judge } from './verdict.js'
import type { Fate } from '../crash/journal.js'

/** Judges one operation of this kind and fate, with what the database holds of it. */
async function judged (kind: string, fate: Fate, { orders = 0, deliveries = [], effects = 0 }: { orders?: number, deliveries?: string[], effects?: number }) {
  const journal = new Journal()
  journal.settle(journal.begin({ kind, weight: 1, hasRight: true }), fate, 'for a test')
  const rows = (text: string): unknown[] => {
    if (text.includes('from orders')) return orders > 0 ? [{ id: 1 }] : []
    if (text.includes('from effects')) return effects > 0 ? [{ id: 1, n: effects }] : []
    return deliveries.length > 0 ? [{ id: 1, n: deliveries.length, jobs: new Set(deliveries).size }] : []
  }
  const { handled, deliveredAgain, ...lists } = await judge({ query: async <Row extends object>(text: string) => rows(text) as Row[] }, journal)
  return Object.entries(lists).filter(([, list]) => list.length > 0).map(([name]) => name)
}

t.test('a job that was lost, that came without its transaction, or that was handled twice is noticed', async (t) => {
  const whole = { orders: 1, deliveries: ['a', 'a'], effects: 1 }
  t.strictSame(await judged('plain', 'acknowledged', whole), [])
  t.strictSame(await judged('plain', 'unknown', whole), [])
  t.strictSame(await judged('plain', 'unknown', {}), [])
  t.strictSame(await judged('plain', 'acknowledged', {}), ['lost'])
  t.strictSame(await judged('plain', 'acknowledged', { orders: 1 }), ['lost', 'halves'])
  t.strictSame(await judged('plain', 'unknown', { deliveries: ['a'], effects: 1 }), ['halves'])
  t.strictSame(await judged('refused', 'refused', whole), ['ghosts'])
  t.strictSame(await judged('dry', 'acknowledged', whole), ['ghosts'])
  t.strictSame(await judged('plain', 'acknowledged', { ...whole, effects: 2 }), ['twice'])
  t.strictSame(await judged('plain', 'acknowledged', { ...whole, deliveries: ['a', 'b'] }), ['otherIds'])
})
