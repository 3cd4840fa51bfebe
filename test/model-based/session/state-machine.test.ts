import fc from 'fast-check'
import t from 'tap'
import { programs } from './program.js'
import { found } from './found.js'
import { openTheatre } from './theatre.js'

/** As many as take about ten seconds. */
const runs = 1000

t.test('programs that once went another way than foretold', async (t) => {
  const theatre = await openTheatre(t)
  for (const { title, program } of found) await t.resolves(theatre.play(program), title)
})

t.test('random programs end as the rules foretell', async (t) => {
  const theatre = await openTheatre(t)
  // A machine that is slow runs fewer; a program that never ends is told of, too.
  await fc.assert(fc.asyncProperty(programs, (program) => theatre.play(program)), { numRuns: runs, timeout: 20_000, interruptAfterTimeLimit: 60_000 })
})
