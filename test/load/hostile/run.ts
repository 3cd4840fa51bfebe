/**
 * Sends any number of hostile requests: `npm run test:hostile -- --requests 100000`. `--seed <number>` repeats a run, `--only lists`
 * or `--only crud` sends them to the lists, or to the routes of `crud`, alone.
 */
import { parseArgs } from 'node:util'
import { attackCrud, strangeInCrud } from './crud.js'
import { attackLists, strangeIn } from './lists.js'

const { values } = parseArgs({ options: { requests: { type: 'string', default: '10000' }, only: { type: 'string' }, seed: { type: 'string', default: String(Date.now() % 1_000_000) } } })
const suites = { lists: { send: attackLists, strange: strangeIn }, crud: { send: attackCrud, strange: strangeInCrud } }

for (const [name, { send, strange }] of Object.entries(suites)) {
  if (values.only !== undefined && values.only !== name) continue
  const endings: Array<() => Promise<unknown>> = []
  const started = performance.now()
  try {
    const { statuses, texts } = await send({ teardown: (fn) => endings.unshift(fn) }, { requests: Number(values.requests), seed: Number(values.seed) })
    const found = [...texts].filter((text) => strange(text) !== '')
    console.log(`${name}: ${values.requests} requests, seed ${values.seed}, ${Math.round((performance.now() - started) / 1000)} s: ${JSON.stringify(Object.fromEntries(statuses))}; ${texts.size} statements`)
    if (found.length > 0) console.log(found)
    if (found.length > 0) process.exitCode = 1
  } finally {
    for (const end of endings) await end()
  }
}
