import t from 'tap'
import { createTestDatabase } from '../../../src/testing/index.js'
import { controls, tryControl } from './controls.js'
import { Journal } from './journal.js'
import { tables } from './tables.js'
import { judge } from './verdict.js'
import type { Fate } from './journal.js'
import type { Operation } from './operations.js'

const pair: Operation = { kind: 'pair', weight: 1, hasRight: true }
const nested: Operation = { kind: 'nested', weight: 1, hasRight: false }

t.test('the verdict names rows that are lost, present although refused, or half written', async (t) => {
  const { database } = await createTestDatabase(t, { sql: tables })
  const journal = new Journal()
  const told = (operation: Operation, fate: Fate): void => journal.settle(journal.begin(operation), fate, fate)
  const fates: Fate[] = ['acknowledged', 'acknowledged', 'acknowledged', 'refused', 'refused', 'unknown', 'unknown', 'unknown']
  for (const fate of fates) told(pair, fate)
  for (const fate of ['acknowledged', 'unknown'] as const) told(nested, fate)
  await database.pool.query(`
    insert into lefts select unnest(array[1, 3, 5, 6, 8, 9, 10]);
    insert into rights (id, parent) select id, id from unnest(array[1, 5, 6, 10]) as id;
    update accounts set balance = balance - 1 where id = 2;
    update counters set value = 1 where id = 3;
  `)

  const verdict = await judge({ query: async (text) => (await database.pool.query(text)).rows }, journal)

  t.strictSame(verdict, {
    lost: ['pair 2 (acknowledged: acknowledged)', 'pair 3 (acknowledged: acknowledged)'],
    ghosts: ['pair 5 (refused: refused)'],
    halves: ['pair 3 (acknowledged: acknowledged)', 'pair 8 (unknown: unknown)', 'nested 10 (unknown: unknown)', 'balance of account 2', 'value of counter 3']
  })
})

/** The controls that take seconds; `npm run test:crash -- --controls` tries all. */
const cheap = ["commit: 'onResponse'", 'a statement that never left is forgotten']

for (const control of controls.filter(({ title }) => cheap.includes(title))) {
  t.test(`the crash run finds a server that breaks its promises: ${control.title}`, async (t) => {
    t.match(await tryControl(control, 1), /^after .* (late|lost|half): /)
  })
}

t.equal(controls.filter(({ title }) => cheap.includes(title)).length, cheap.length, 'both exist')
