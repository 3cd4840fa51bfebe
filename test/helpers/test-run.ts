/**
 * A program for tests that kill it: a test run that hangs. With `run` it starts two processes, as a test runner does for test
 * files; with `file` it makes a test database and prints its URL.
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { createTestDatabase } from '../../src/testing/index.js'

const [,, role] = process.argv
if (role === 'run') {
  for (let file = 0; file < 2; file++) {
    const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), 'file'], { stdio: ['ignore', 'pipe', 'inherit'] })
    child.stdout.pipe(process.stdout)
  }
} else {
  const { connectionString, database } = await createTestDatabase(undefined, { seed: () => 'nothing' })
  const client = await database.pool.connect()
  await client.query('begin')
  console.log(JSON.stringify({ pid: process.pid, connectionString }))
}
setInterval(() => {}, 1_000_000)
