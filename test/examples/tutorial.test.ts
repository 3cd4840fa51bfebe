import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { createTestDatabase } from '../../src/testing/index.js'
import { loaderFor, sharedPostgres } from '../../src/testing/postgres/shared-server.js'
import { nodeOptions } from '../helpers/child.js'
import type { Test } from '../helpers/test.js'

const folder = fileURLToPath(new URL('../../examples/tutorial', import.meta.url))
const loader = loaderFor(import.meta.url.replace(/[^.]*$/, 'ts'))

/** Starts Node in the folder of the tutorial, as its reader does: without what belongs to the runner of this test. */
function start (t: Test, args: readonly string[], DATABASE_URL: string) {
  const own = /^(TAP|NODE_OPTIONS|NODE_V8_COVERAGE|NODE_TEST|_TAPJS)/
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name)))
  const child = spawn(process.execPath, [...loader, ...args], {
    cwd: folder, env: { ...env, NODE_OPTIONS: nodeOptions, NO_COLOR: '1', PORT: '0', DATABASE_URL }, stdio: ['ignore', 'pipe', 'inherit']
  })
  t.teardown(async () => { child.kill('SIGKILL') })
  return { child, lines: createInterface({ input: child.stdout }), closed: once(child, 'close') }
}

t.test('the tests of docs/tutorial.md pass', async (t) => {
  const { lines, closed } = start(t, ['--test', '--test-reporter=tap', 'invoices.test.ts'], process.env['DATABASE_URL'] || await sharedPostgres())
  const output: string[] = []
  lines.on('line', (line) => output.push(line))
  t.equal((await closed)[0], 0, output.join('\n'))
  t.match(output.join('\n'), /^# pass 6$/m)
})

t.test('the server of docs/tutorial.md migrates its database, serves, and stops in good order', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const { child, lines, closed } = start(t, ['server.ts'], connectionString)
  let url: string | undefined
  for await (const line of lines) {
    url = /Server listening at (http:[^"]+)/.exec(line)?.[1]
    if (url !== undefined) break
  }
  const post = async (path: string, body: object) => {
    const reply = await fetch(`${url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
    return [reply.status, await reply.json()]
  }
  t.match(await post('/customers', { name: 'Ada', email: 'ada@example.com' }), [201, { id: 1 }])
  t.match(await post('/invoices', { customerId: 1, lines: [{ description: 'Work', cents: 9000 }] }), [201, { id: 1, lines: [{ position: 1 }] }])
  t.equal((await fetch(`${url}/health/database`)).status, 200)
  child.stdout.resume()
  child.kill('SIGTERM')
  t.strictSame(await closed, [0, null])
})
