import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { createTestDatabase } from '../../src/testing/index.js'
import { loaderFor } from '../../src/testing/postgres/shared-server.js'
import { nodeOptions } from '../helpers/child.js'

const program = new URL('../../examples/core.ts', import.meta.url)
const run = promisify(execFile)

/** Runs the script as a user does. */
async function start (variables: NodeJS.ProcessEnv): Promise<string[]> {
  const { NODE_OPTIONS, ...env } = process.env
  const args = [...loaderFor(program.href), fileURLToPath(program)]
  const { stdout } = await run(process.execPath, args, { env: { ...env, NODE_OPTIONS: nodeOptions, ...variables } })
  return stdout.trim().split('\n')
}

const story = [
  '300 cents were moved',
  '5000 were not: DB_CHECK_VIOLATION',
  'inside the session 0 of the two are left',
  'in the end: Ada 700, Grace 300; together 1000'
]

t.test('the script runs on the database of DATABASE_URL, any number of times, and ends by itself', async (t) => {
  const { connectionString } = await createTestDatabase(t)

  t.strictSame(await start({ DATABASE_URL: connectionString }), story)
  t.strictSame(await start({ DATABASE_URL: connectionString }), story)
})

t.test('without DATABASE_URL the script makes a database of its own', async (t) => {
  t.strictSame(await start({ DATABASE_URL: '' }), story)
})
