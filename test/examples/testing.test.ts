import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { loaderFor, sharedPostgres } from '../../src/testing/postgres/shared-server.js'
import { nodeOptions } from '../helpers/child.js'
import type { Test } from '../helpers/test.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Runs Node with the arguments that a user's runner has, without what belongs to the runner of this test. */
async function run (t: Test, args: readonly string[]): Promise<{ code: number | null, output: string }> {
  const own = /^(TAP|NODE_OPTIONS|NODE_V8_COVERAGE|NODE_TEST|_TAPJS)/
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name)))
  const child = spawn(process.execPath, args, {
    cwd: root, env: { ...env, NODE_OPTIONS: nodeOptions, NO_COLOR: '1', DATABASE_URL: process.env['DATABASE_URL'] || await sharedPostgres() }, stdio: ['ignore', 'pipe', 'pipe']
  })
  t.teardown(async () => { child.kill('SIGKILL') })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => { output += text })
  const code = await new Promise<number | null>((resolve) => { child.once('close', resolve) })
  return { code, output }
}

const loader = loaderFor(import.meta.url.replace(/[^.]*$/, 'ts'))
const vitest = fileURLToPath(new URL('vitest.mjs', import.meta.resolve('vitest/package.json')))

const runners = [
  { name: 'tap', args: [...loader, 'examples/testing/tap.test.ts'], says: /^# { total: 5, pass: 5 }$/m },
  { name: 'node:test', args: [...loader, '--test', '--test-reporter=tap', 'examples/testing/node.test.ts'], says: /^# pass 4$/m },
  { name: 'Vitest', args: [vitest, 'run', 'examples/testing/vitest.test.ts'], says: /Tests +3 passed \(3\)/ }
]

for (const { name, args, says } of runners) {
  t.test(`the example for ${name} passes, and its process ends by itself`, async (t) => {
    const { code, output } = await run(t, args)
    t.match(output, says)
    t.equal(code, 0, output)
  })
}
