import { fileURLToPath } from 'node:url'
import t from 'tap'
import { createTestDatabase } from '../../src/testing/index.js'
import { loaderFor, sharedPostgres } from '../../src/testing/postgres/shared-server.js'
import { nodeOptions, startAsUser } from '../helpers/child.js'
import type { Test } from '../helpers/test.js'

const cwd = fileURLToPath(new URL('../../examples/tutorial', import.meta.url))
const loader = loaderFor(import.meta.url.replace(/[^.]*$/, 'ts'))

/** Starts Node in the folder of the tutorial, as its reader does. */
function start (t: Test, args: readonly string[], DATABASE_URL: string) {
  return startAsUser(t, [...loader, ...args], { cwd, env: { NODE_OPTIONS: nodeOptions, PORT: '0', DATABASE_URL } })
}

t.test('the tests of docs/tutorial.md pass', async (t) => {
  const { closed, output } = start(t, ['--test', '--test-reporter=tap', 'invoices.test.ts'], process.env['DATABASE_URL'] || await sharedPostgres())
  t.equal(await closed, 0, output())
  t.match(output(), /^# pass 6$/m)
})

t.test('the server of docs/tutorial.md migrates its database, serves, and stops in good order', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const { child, closed, says } = start(t, ['server.ts'], connectionString)
  const [, url] = await says(/Server listening at (http:[^"]+)/)
  const post = async (path: string, body: object) => {
    const reply = await fetch(`${url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
    return [reply.status, await reply.json()]
  }
  t.match(await post('/customers', { name: 'Ada', email: 'ada@example.com' }), [201, { id: 1 }])
  t.match(await post('/invoices', { customerId: 1, lines: [{ description: 'Work', cents: 9000 }] }), [201, { id: 1, lines: [{ position: 1 }] }])
  t.equal((await fetch(`${url}/health/database`)).status, 200)
  child.kill('SIGTERM')
  t.equal(await closed, 0)
})
