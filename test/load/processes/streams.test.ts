import t from 'tap'
import { runProgram } from '../../helpers/child.js'

t.test('a stream holds one batch in memory, and releases its connection when abandoned', async (t) => {
  const { code, stdout, stderr } = await runProgram(t, new URL('streams.ts', import.meta.url), { node: ['--expose-gc'], args: ['--rows', '150000'] })
  t.equal(code, 0, stdout + stderr)
  t.comment(stdout)
})
