/** Sends any number of hostile requests: `npm run test:hostile -- --requests 100000`. `--seed <number>` repeats a run. */
import { parseArgs } from 'node:util'
import { attack, strangeIn } from './lists.js'

const { values } = parseArgs({ options: { requests: { type: 'string', default: '10000' }, seed: { type: 'string', default: String(Date.now() % 1_000_000) } } })
const endings: Array<() => Promise<unknown>> = []
const started = performance.now()
try {
  const { statuses, texts } = await attack({ teardown: (fn) => endings.unshift(fn) }, { requests: Number(values.requests), seed: Number(values.seed) })
  const strange = [...texts].filter((text) => strangeIn(text) !== '')
  console.log(`${values.requests} requests, seed ${values.seed}, ${Math.round((performance.now() - started) / 1000)} s: ${JSON.stringify(Object.fromEntries(statuses))}; ${texts.size} statements`)
  if (strange.length > 0) console.log(strange)
  process.exitCode = strange.length > 0 ? 1 : 0
} finally {
  for (const end of endings) await end()
}
