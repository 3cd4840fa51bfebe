import { fileURLToPath } from 'node:url'
import t from 'tap'
import { loaderFor, sharedPostgres } from '../../src/testing/postgres/shared-server.js'
import { nodeOptions, startAsUser } from '../helpers/child.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

const loader = loaderFor(import.meta.url.replace(/[^.]*$/, 'ts'))
const vitest = fileURLToPath(new URL('vitest.mjs', import.meta.resolve('vitest/package.json')))

const runners = [
  { name: 'tap', args: [...loader, 'examples/testing/tap.test.ts'], says: /^# { total: 5, pass: 5 }$/m },
  { name: 'node:test', args: [...loader, '--test', '--test-reporter=tap', 'examples/testing/node.test.ts'], says: /^# pass 4$/m },
  { name: 'Vitest', args: [vitest, 'run', 'examples/testing/vitest.test.ts'], says: /Tests +3 passed \(3\)/ }
]

for (const { name, args, says } of runners) {
  t.test(`the example for ${name} passes, and its process ends by itself`, async (t) => {
    const env = { NODE_OPTIONS: nodeOptions, DATABASE_URL: process.env['DATABASE_URL'] || await sharedPostgres() }
    const { closed, output } = startAsUser(t, args, { cwd: root, env })
    t.equal(await closed, 0, output())
    t.match(output(), says)
  })
}
