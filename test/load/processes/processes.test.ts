import t from 'tap'
import { createTestDatabase } from '../../../src/testing/index.js'
import { runProgram } from '../../helpers/child.js'

t.test('requests aborted at random moments leave exactly the committed rows', async (t) => {
  const { code, stdout, stderr } = await runProgram(t, new URL('aborts.ts', import.meta.url), { node: ['--expose-gc'], args: ['--requests', '1000'] })
  t.equal(code, 0, stderr)
  t.comment(stdout)
})

t.test('a transaction that waits for a connection keeps at most 8 KB, and a read 4 KB', async (t) => {
  const { code, stdout, stderr } = await runProgram(t, new URL('waiters.ts', import.meta.url), { node: ['--expose-gc'] })
  t.equal(code, 0, stderr)
  t.comment(stdout)
  const { transaction, read } = JSON.parse(stdout)
  t.ok(transaction < 6000, `a transaction: ${transaction} bytes`)
  t.ok(read < 3600, `a read: ${read} bytes`)
})

t.test('a stream holds one batch in memory, and releases its connection when abandoned', async (t) => {
  const { code, stdout, stderr } = await runProgram(t, new URL('streams.ts', import.meta.url), { node: ['--expose-gc'], args: ['--rows', '150000'] })
  t.equal(code, 0, stdout + stderr)
  t.comment(stdout)
})

t.test('no deprecated function is used, and Node prints no warning', async (t) => {
  const { code, stdout, stderr } = await runProgram(t, new URL('deprecations.ts', import.meta.url), { node: ['--throw-deprecation', '--trace-warnings'] })
  t.equal(stderr, '')
  t.match(stdout, /the end\n$/)
  t.equal(code, 0)
})

t.test('a process lives until its connection for LISTEN is closed, and does not outlive its work for a time limit', async (t) => {
  const { connectionString } = await createTestDatabase(t)
  const { code, stdout, stderr } = await runProgram(t, new URL('process-life.ts', import.meta.url), { args: [connectionString] })
  t.equal(stdout, 'closed\nasked\n', stderr)
  t.equal(code, 0, stderr)
})
